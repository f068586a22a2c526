/** What people write to each other and no text book holds: no misspelling of another word. Left alone where `keep` is not given. */
export const CHAT_WORDS: readonly string[] = [
  ...['afaik', 'aww', 'brb', 'btw', 'fomo', 'fyi', 'haha', 'hahaha', 'hehe', 'hey', 'hmm', 'hmmm', 'idc', 'idk'],
  ...['iirc', 'ikr', 'imho', 'imo', 'irl', 'lmk', 'lol', 'mhm', 'nvm', 'ok', 'okay', 'omg', 'omw', 'pls', 'plz'],
  ...['ppl', 'rofl', 'smh', 'tbh', 'thx', 'tldr', 'tmi', 'tmrw', 'ttyl', 'ugh', 'wfh', 'xoxo', 'yolo'],
];
