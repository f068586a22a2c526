import { isCommandLine } from './command-lines.js';

/** Units of a line that is looked at as a whole; of a longer one its end tells. */
export const LONGEST_STATEMENT = 600;

/** What stands in quotes may be prose, and tells nothing of the line. */
const QUOTED = /"[^"\n]*"|`[^`\n]*`|(?<![\p{L}\p{N}])'[^'\n]*'(?![\p{L}\p{N}])/gu;
/** What begins a comment after code. */
const COMMENT = /\s(#|\/\/|--|;{1,3}|%|<!--|\/\*)/gu;
/** Words of sentences, which no language has as words of its own. */
const PROSE =
  /(?:^|\s)(?:the|an|your|my|our|their|his|her|you|we|they|he|she|it's|i'm|i(?=\s\p{L})(?!\s(?:in|is)\s)|these|those|are|was|were|have|had|would|should|very|because|which|what|how|who|why)(?=[\s,.;:!?)]|$)/iu;
/** What no statement has, other than one that is known by its first word. */
const THREE_WORDS = /(?:^|\s)\p{L}{2,40}\s\p{L}{2,40}\s\p{L}{2,40}(?=[\s,.:;]|$)/u;

const OPENS_OR_CLOSES = /^(?:[)\]}]|&&|\|\|)|(?:\\|&&|\|\|)$/u;
/** What statements of many languages hold: a call or an assignment. */
const CALL_OR_ASSIGNMENT = /(?:[\p{L}_]|[\p{L}_]\p{N})\((?!e?s\))|[\p{L}\p{N}_\])]\s?[-+*/|&:!<>=]?=\s/u;
/** Operators that sentences have no use for. */
const OPERATOR =
  /\S\s(?:&&|\|\||[!=]==?|[-+*/%|&^:]=|\?\?|<<|>>)\s\S|\p{L}\+\+$|^(?:\+\+|--)[\p{L}\p{N}_]{1,60}$|\p{L}::\p{L}/u;
/** A number, a letter, or a name with marks of code in it. */
const OPERAND = String.raw`(?:[$@]?[\p{L}_][\p{L}\p{N}]*[_.[(]\S*|\p{N}\S*|[b-hj-z])`;
const SUM = new RegExp(
  String.raw`^(?:return\s|yield\s)?(?:${OPERAND}\s[-+*/<>|&^]\s|[\p{L}\p{N}_]{1,60}\s[-+*/<>|&^]\s${OPERAND}(?=$|[\s,;)]))`,
  'u',
);
const COMPARED = new RegExp(String.raw`\S\s[-+*/<>|&^]\s${OPERAND}(?=$|[\s,;:)])`, 'u');
const NAME = String.raw`[$@&*]{0,2}[\p{L}_][\p{L}\p{N}_]*`;
const PLACE = String.raw`${NAME}(?:(?:\.|->|::|\?\.)${NAME}|\[[^[\]]*\])*`;
const DECLARING =
  '(?:const|let|var|val|int|long|short|float|double|char|bool|boolean|string|String|auto|static|final|public|private|protected|export|local|unsigned|mut|readonly|extern|global|constexpr|typedef|declare|uint\\d+_t|int\\d+_t|size_t)\\s';
const ASSIGNS = String.raw`(?:\s?:\s?[\p{L}_][^\s=]*)?(?:\s(?:[-+*/%|&^:<]|\?\?|<<|>>|\*\*|//)?=\s|=|\s<-\s)(?!\s)(?=\S)`;
const DECLARATION = new RegExp(`^(?:${DECLARING}|my\\s[$@%])+${PLACE}(?:;$|${ASSIGNS})`, 'u');
/** What is assigned is not two words, other than of an expression. */
const ASSIGNMENT = new RegExp(
  String.raw`^${PLACE}(?:,\s${PLACE})*${ASSIGNS}(?:(?:new|not|await|lambda|typeof|function|yield|async)\s|(?![\p{L}\p{N}'’]+\s\p{L}))`,
  'u',
);
const CALL = new RegExp(
  String.raw`^(?:(?:return|await|yield|new|throw|raise|assert|defer|go|not)\s)*!?${PLACE}!?(?:<[^<>\s]*>)?\(`,
  'u',
);
const DEFINITION =
  /^(?:(?:export|pub|public|private|static|async)\s)*(?:def|class|function|func|fn|fun|struct|enum|interface|impl|trait|module|namespace|package)\s[\p{L}_$][\p{L}\p{N}_.:$]*\s?(?:[(:;{<]|$)/u;
const IMPORT =
  /^(?:(?:import|package|namespace)\s(?:""|''|[\p{L}_@][\p{L}\p{N}_.:/*@\\]*(?<![.:]));?$|(?:require|include|using|use)\s(?:""|''|\S+;|[\p{L}\p{N}_]+::\S+)$|import\s[^.]*\sfrom\s|from\s\S{1,60}\simport\s|import\s\S{1,60}\sas\s\S{1,60}$)/u;
const STATEMENT =
  /^(?:(?:else|try|finally|except|default)\s?:$|(?:return|raise|throw|yield|del|goto|assert|delete)\s(?!(?:to|home|it|me|us|him|them|this|that|all)\b)[\p{L}\p{N}_$"'[({.-]\S*(?<![.,:!?…]);?$|(?:break|continue|pass|return|endif|endfor|endwhile|endfunction|fi|esac)$|(?:puts|print|printf|echo)\s(?:""|'')|"":\s|(?:var|val)\s[\p{L}_][\p{L}\p{N}_]*(?:\s\S+)?$|.*;\s(?:done|fi|esac)$)/u;
const CONDITION =
  /^(?:if|elif|else\sif|while|for|with|switch|until|unless|except|catch|case)[\s(].*(?:[:{)]|\sthen|\sdo)$/u;
const OF_CODE = /\p{L}[_.]\p{L}|\p{L}\[|\]|[\s(]not\s|\sis\s|^for\s(?!all|those|any)\S+(?:,\s\S+)?\sin\s/u;
const SQL =
  /^(?:SELECT|INSERT\sINTO|UPDATE|DELETE\sFROM|CREATE|ALTER|DROP|FROM|WHERE|GROUP\sBY|ORDER\sBY|(?:LEFT\s|INNER\s)?JOIN)\s/;
const REGISTER =
  /^[a-z]{2,8}\s(?:%?(?:[re][abcd]x|[re][sd]i|[re][sb]p)$|\S{1,60},\s?(?:\S{1,60},\s?)?%?(?:[re]?[abcd]x|[re]?[sd]i|[re]?[sb]p|[abcd][hl]|[rxw]\d{1,2}|\$t\d)$|%?(?:[re]?[abcd]x|[re]?[sd]i|[re]?[sb]p|[abcd][hl]|[rxw]\d{1,2}|\$t\d),\s?\S{1,60}(?:,\s?\S{1,60})?$)/u;
/** What a preprocessor, a shell, a table or a log says; some of it by its first words. */
const DIRECTIVE =
  /^(?:#\s?(?:include|define|undef|ifdef|ifndef|endif|pragma|if|elif|else)\b|#!|@@\s-\d|diff\s--git\s|\$\s\p{L}|\S{1,60}@\S{1,60}[$#]\s|[-dlbcps](?:[-r][-w][-xsStT]){3}[.+@]?\s|\[?\d{4}-\d\d-\d\d[T\s]\d\d:\d\d:\d\d|\p{Lu}\p{Ll}{2}\s{1,2}\d{1,2}\s\d\d:\d\d:\d\d\s|\S{1,60}\s\S{1,60}\s\S{1,60}\s\[\d\d\/\p{L}|[^\s,]+(?:,[^\s,]*){2,}$|\((?:define|defun|defvar|defmacro|setq|setf|let\*?\s\(|lambda|defn|def|ns)\s)/u;

/** What a statement may be that a comment follows: less is asked of it. */
const COMMENTED =
  /^(?:select\s.*\sfrom\s\S+|insert\sinto\s\S+|delete\sfrom\s\S+|update\s\S+\sset\s|(?:end|done|else|then|do|begin)$|(?:return|yield|assert|raise|throw|del)\s(?!(?:to|home|from|back|it|for|on|in|at|by|all|some|me)(?:\s|$))|(?:var|const|val)\s\S+(?:\s\S+)?$|(?:cd|ls|git|npm|npx|pip|sudo|apt|docker|mkdir|rm|cp|mv|curl|wget|cargo|yarn|pnpm)(?:\s|$)|[a-z][\w.-]*\s(?:.*\s)?(?:--?\p{L}|\$\p{L})|@\p{L}[\p{L}\p{N}_.]*$)/u;
const CODE_NAME = /[\p{L}\p{N}]_|_[\p{L}\p{N}]|->|[\p{L}\p{N}]\[|\$\p{L}|\p{L}\((?!e?s\))/u;
/** What has no place in a sentence of a list, which may end in a semicolon too. */
const CODE_TERM = new RegExp(
  String.raw`${CODE_NAME.source}|^(?:\S+\s){0,2}\S*\p{Ll}\p{Lu}\S*;$|^[\p{L}\p{N}_]+\s\*\p{L}[\p{L}\p{N}_]*;$|^\S+:\s\S+;$|^(?:return|import|using|use|break|continue)(?:\s\S+)?;$`,
  'u',
);
const PAIR = /^(?:""|''|[\p{L}_][\p{L}\p{N}_.-]*)\s?:\s?\S+$/u;

/**
 * Whether a line is code of some language and not a sentence: it ends as statements do, is nothing but a call, an assignment, a
 * condition or the like, or is one with a comment after it. Where it may be both it is a sentence.
 */
export function isCodeLine(text: string): boolean {
  const line = text.replace(QUOTED, (quoted) => quoted.charAt(0) + quoted.charAt(0));
  if (isStatement(line)) return true;
  for (const { index, 1: mark } of line.matchAll(COMMENT)) {
    const code = line.slice(0, index).trimEnd();
    if (code === '') continue;
    if (isStatement(code) || code.endsWith(';')) return true;
    // A hash before a word is a tag.
    if (PROSE.test(code) || (mark === '#' && !/\s/.test(line.charAt(index + 2)))) continue;
    if (mark === '#' || mark === '//') {
      if (COMMENTED.test(code) || SUM.test(code) || CODE_NAME.test(code) || PAIR.test(code) || /[,:]$/.test(code))
        return true;
    } else if (COMMENTED.test(code)) return true;
    // Nobody sets a mark of a sentence apart, or closes a comment in it.
    const apart = index - code.length > 0 || (mark === '/*' && line.endsWith('*/'));
    if (apart && !THREE_WORDS.test(code)) return true;
  }
  return false;
}

/** Whether a line ends as statements and blocks of many languages do. */
export function endsStatement(line: string): boolean {
  if (line.endsWith(';')) {
    return CALL_OR_ASSIGNMENT.test(line) || DECLARATION.test(line) || (CODE_TERM.test(line) && !isSaid(line));
  }
  if (line.endsWith('}')) return line.includes(';') || (line.includes('{') && CALL_OR_ASSIGNMENT.test(line));
  return /\S[([]$|\{$/.test(line);
}

function isStatement(line: string): boolean {
  if (OPENS_OR_CLOSES.test(line) || endsStatement(line) || DIRECTIVE.test(line)) return true;
  if (PROSE.test(line)) return false;
  if (isCommandLine(line)) return true;
  if (CALL.test(line) && isOneCall(line)) return true;
  if ([DECLARATION, ASSIGNMENT, DEFINITION, IMPORT, STATEMENT, OPERATOR, SQL, REGISTER].some((of) => of.test(line)))
    return true;
  if (line.startsWith('return ')) return [SUM, CALL_OR_ASSIGNMENT, OF_CODE].some((of) => of.test(line));
  return CONDITION.test(line) && [CALL_OR_ASSIGNMENT, COMPARED, OF_CODE].some((of) => of.test(line));
}

function isSaid(line: string): boolean {
  return PROSE.test(line) || THREE_WORDS.test(line);
}

/** Whether the first bracket of a line closes at its end; calls of what a call gives, such as `a(b).c(d)`, go on. */
function isOneCall(line: string): boolean {
  let depth = 0;
  for (const unit of line.slice(line.indexOf('('))) {
    if (unit === '(') depth++;
    else if (unit === ')') depth--;
    else if (depth === 0 && unit === ' ') return false;
  }
  return depth === 0;
}
