import type { Settings } from './exact-cuts.js';
import { lowercased, type Normal } from './exact-normals.js';

/** Chinese signs as the original lists them, which leaves out U+2B820 to U+2B91F. */
const CHINESE =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;
/** What is no text of its own; signs of formats that came after Unicode 8 are none to the original. */
const NO_TEXT = /\ufffd|(?![\t\n\r\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}])[\p{Cc}\p{Cf}\p{Co}]/gu;
/** Marks that came after Unicode 8, up to Unicode 17: the original leaves them where they are. */
const NEWER_MARKS = String.raw`
\u07fd\u0897-\u089f\u08ca-\u08e1\u09fe\u0afa-\u0aff\u0b55\u0c04\u0c3c\u0d00\u0d3b\u0d3c\u0d81\u0eba\u0ece\u180f\u1885\u1886
\u1abf-\u1add\u1ae0-\u1aeb\u1df6-\u1dfb\ua82c\ua8c5\ua8ff\ua9bd\u{10d24}-\u{10d27}\u{10d69}-\u{10d6d}\u{10eab}\u{10eac}
\u{10efa}-\u{10eff}\u{10f46}-\u{10f50}\u{10f82}-\u{10f85}\u{11070}\u{11073}\u{11074}\u{110c2}\u{111c9}\u{111cf}\u{1123e}
\u{11241}\u{1133b}\u{113bb}-\u{113c0}\u{113ce}\u{113d0}\u{113d2}\u{113e1}\u{113e2}\u{11438}-\u{1143f}\u{11442}-\u{11444}
\u{11446}\u{1145e}\u{1182f}-\u{11837}\u{11839}\u{1183a}\u{1193b}\u{1193c}\u{1193e}\u{11943}\u{119d4}-\u{119d7}\u{119da}\u{119db}
\u{119e0}\u{11a01}-\u{11a0a}\u{11a33}-\u{11a38}\u{11a3b}-\u{11a3e}\u{11a47}\u{11a51}-\u{11a56}\u{11a59}-\u{11a5b}
\u{11a8a}-\u{11a96}\u{11a98}\u{11a99}\u{11b60}\u{11b62}-\u{11b64}\u{11b66}\u{11c30}-\u{11c36}\u{11c38}-\u{11c3d}\u{11c3f}
\u{11c92}-\u{11ca7}\u{11caa}-\u{11cb0}\u{11cb2}\u{11cb3}\u{11cb5}\u{11cb6}\u{11d31}-\u{11d36}\u{11d3a}\u{11d3c}\u{11d3d}
\u{11d3f}-\u{11d45}\u{11d47}\u{11d90}\u{11d91}\u{11d95}\u{11d97}\u{11ef3}\u{11ef4}\u{11f00}\u{11f01}\u{11f36}-\u{11f3a}\u{11f40}
\u{11f42}\u{11f5a}\u{13440}\u{13447}-\u{13455}\u{1611e}-\u{16129}\u{1612d}-\u{1612f}\u{16f4f}\u{16fe4}\u{1cf00}-\u{1cf2d}
\u{1cf30}-\u{1cf46}\u{1e000}-\u{1e006}\u{1e008}-\u{1e018}\u{1e01b}-\u{1e021}\u{1e023}\u{1e024}\u{1e026}-\u{1e02a}\u{1e08f}
\u{1e130}-\u{1e136}\u{1e2ae}\u{1e2ec}-\u{1e2ef}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}\u{1e6e3}\u{1e6e6}\u{1e6ee}\u{1e6ef}
\u{1e6f5}\u{1e944}-\u{1e94a}
`.replaceAll('\n', '');
/** What the original removes as an accent; two signs are marks with a width since. */
const ACCENTS = new RegExp(`(?![${NEWER_MARKS}])\\p{Mn}|[\\u1734\\u{1171e}]`, 'gu');
/** All but signs that are composed since Unicode 13, which the original does not take apart. */
const TAKEN_APART =
  /[^\u{105c9}\u{105e4}\u{11383}\u{11385}\u{1138e}\u{11391}\u{113c5}\u{113c7}\u{113c8}\u{11938}\u{16121}-\u{16128}\u{16d68}-\u{16d6a}]+/gu;

/** What the normaliser of BERT makes of a text in the original, the crate `tokenizers` (Hugging Face, Apache-2.0). */
export function bertNormal({
  clean_text: clean,
  handle_chinese_chars: apart,
  strip_accents: strip,
  lowercase,
}: Settings): Normal {
  const isStripped = typeof strip === 'boolean' ? strip : lowercase === true;
  return (text) => {
    let normal = text;
    if (clean === true) normal = normal.replace(NO_TEXT, '').replace(/\p{White_Space}/gu, ' ');
    if (apart === true) normal = normal.replace(CHINESE, ' $& ');
    if (isStripped) normal = normal.replace(TAKEN_APART, (part) => part.normalize('NFD')).replace(ACCENTS, '');
    return lowercase === true ? lowercased(normal) : normal;
  };
}
