/**
 * Regular expressions a tokenizer file may hold: published ones, each read and found to need time in proportion to the
 * text. Any other could be written to need exponential time, and nothing can interrupt a match that runs in this thread.
 */
export const SAFE_PATTERNS: ReadonlySet<string> = new Set([
  // One character class, repeated at most once.
  '\\s',
  '\\s+',
  '\\n',
  '[\\r\\n]',
  '[\\r\\n]+',
  '\\p{N}',
  '\\p{N}{1,3}',
  ' {2,}',
  // Radford et al. (2019).
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  // OpenAI's cl100k.
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  // Qwen 2.
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
]);
