/** Commands that are no words, and what they are told to do. */
const TOLD =
  /^(?:git\s(?:add|bisect|blame|branch|checkout|cherry-pick|clone|commit|config|diff|fetch|init|log|merge|mv|pull|push|rebase|remote|reset|restore|revert|rm|show|stash|status|submodule|switch|tag|worktree)|(?:npm|pnpm|yarn|npx)\s(?:install|i|ci|run|start|test|init|add|remove|exec|publish|update|audit)|(?:pip3?|conda|brew|apt|apt-get|yum|dnf|apk|snap|choco|winget|gem|cargo|poetry)\s(?:install|uninstall|remove|update|upgrade|list|search|add|build|run|test)|docker\s(?:build|compose|exec|images|logs|network|ps|pull|push|rm|rmi|run|start|stop|tag)|kubectl\s(?:apply|create|delete|describe|exec|get|logs|rollout|scale)|systemctl\s(?:start|stop|restart|status|enable|disable)|make\s(?:all|install|clean|test|check|dist)$)(?=\s|$)/;
/** Commands that are no words, with the name of a file, an address or a variable. */
const WITH_PLACE =
  /^(?:vim?|nano|cat|cp|mv|rm|ls|cd|mkdir|rmdir|chmod|chown|node|npx|python3?|bash|tar|unzip|ssh|scp|rsync|wget|curl|grep|sed|awk)(?:\s\S+){0,8}?\s(?:[~/$+][\w/.-]*|\S*[\p{L}\p{N}_][/.@:=][\p{L}\p{N}_]\S*)(?:\s\S+)?$/u;
const OPTION = /^[a-z][a-z0-9.+-]{1,30}\s(?:\S+\s){0,40}?(?:-\p{L}{1,2}|--\p{L}[\p{L}-]+)(?=[\s=]|$)/u;
const PIPED = /\S\s\|\s(?:grep|wc|sort|head|tail|less|awk|sed|xargs|tee|uniq|cut|tr|jq|sh|bash)(?=\s|$)/;
const PROMPTED = /^(?:sudo\s\S|(?:PS\s)?[A-Z]:\\[^>\n]{0,200}>)/;
/** What is said of a command; `to` and the like may also follow one. */
const SAID = /\s(?:is|isn't|than|and|but|when|if|after|before|so|always|never|does|doesn't|can|can't|of|for)\s/;

/** Whether a line is a command of a shell, with what it is told; not what is said of one. */
export function isCommandLine(line: string): boolean {
  if (PROMPTED.test(line) || PIPED.test(line)) return true;
  return !SAID.test(line) && [TOLD, WITH_PLACE, OPTION].some((of) => of.test(line));
}

const OPENS_DATA = /^(?:\{\s*(["'])[^"'\n]{0,100}\1\s*:|\[\s*(?:\{\s*["']|\[\s*["'\d[{]|["']))/u;
const CLOSES_DATA = /[\]}][,;]?$|,$/;

/** Whether a line is an object or a list as JSON and many languages write them, however long it is. */
export function isDataLine(line: string): boolean {
  return CLOSES_DATA.test(line) && OPENS_DATA.test(line);
}
