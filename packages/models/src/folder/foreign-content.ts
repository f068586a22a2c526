/** How much of a file shows what it is. */
export const FOREIGN_BYTES: number = 512;

/** What a file is in truth that a download often leaves in the place of another, and what to do; undefined for others. */
export function foreignContent(content: string | Uint8Array): string | undefined {
  const begin =
    typeof content === 'string'
      ? content.slice(0, FOREIGN_BYTES)
      : new TextDecoder('latin1').decode(content.subarray(0, FOREIGN_BYTES));
  if (begin === '') return 'empty. Fetch the file again.';
  if (begin.startsWith('version https://git-lfs')) {
    return 'a Git LFS pointer, which stands for the file. Run "git lfs pull" in its folder, or download the file itself.';
  }
  // After a byte order mark, read as what it is or byte by byte.
  if (/^(?:\ufeff|\u00ef\u00bb\u00bf)?\s*<(?:!doctype|!--|html|head|body|\?xml)/i.test(begin)) {
    return 'a web page, probably of an error or a login. Download the file itself.';
  }
  return undefined;
}
