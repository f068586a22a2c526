import { describe, expect, it } from 'vitest';
import { parseArguments } from '../src/arguments.js';
import { decodeCommand } from '../src/commands/decode.js';
import { raceCommand } from '../src/commands/race.js';
import { cli } from './support.js';

const COMMANDS = ['race', 'correct', 'decode', 'inspect', 'import', 'doctor', 'advise'];

const parse = (...argv: string[]) => parseArguments(argv, [raceCommand, decodeCommand]);

describe('values', () => {
  it.each([
    [['--text', '1e3']],
    [['--text', '007']],
    [['--text', '']],
    [['--text=']],
    [['--text', '-5 degrees']],
    [['--text', '- a dash']],
    [['--text=--json']],
    [['--text', 'true']],
    [['--text', 'a=b']],
  ])('%j reach the command as they were typed', (argv) => {
    const typed = argv.length === 2 ? argv[1] : argv[0].slice('--text='.length);
    expect(parse('decode', ...argv).options.texts('text')).toEqual([typed]);
  });

  it('may repeat where that means something, before or after the command', () => {
    const { command, options } = parse('--text', '1', 'race', '--text', '2', '--json', '--text=3');
    expect(command).toBe(raceCommand);
    expect(options.texts('text')).toEqual(['1', '2', '3']);
    expect(options.flag('json')).toBe(true);
    expect(options.flag('quiet')).toBe(false);
  });

  it('keep a name that begins with no-, with and without a value', () => {
    const { options } = parse(
      'decode',
      '--no-adjacent-repeats',
      '--no-repeat-ngram-size',
      '2',
      '--no-color',
      '--adaptive-stop',
    );
    expect([options.flag('no-adjacent-repeats'), options.flag('no-color'), options.flag('adaptive-stop')]).toEqual([
      true,
      true,
      true,
    ]);
    expect(options.integer('no-repeat-ngram-size', 1, 9)).toBe(2);
    expect(parse('decode').options.flag('no-adjacent-repeats')).toBe(false);
  });

  it('may not repeat where they contradict each other', () => {
    const { options } = parse('race', '--limit', '1', '--limit', '2');
    expect(() => options.integer('limit', 1, 9)).toThrow('--limit was given 2 times');
  });

  it.each(['0', '-1', '1.5', '1e3', 'x', '', '99999999999999999999', '0x5'])(
    'are integers in range: not %j',
    (text) => {
      const { options } = parse('race', `--limit=${text}`);
      expect(() => options.integer('limit', 1, 1000)).toThrow(/--limit must be an integer from 1 to 1000/);
    },
  );
});

describe('usage errors: exit code 2, a message, nothing on standard output', () => {
  it.each([
    [['nonsense'], 'Unknown command nonsense'],
    [['2024'], 'Unknown command 2024'],
    [['decod'], 'Did you mean decode?'],
    [['inspct', 'x'], 'Did you mean inspect?'],
    [['help', 'docter'], 'Did you mean doctor?'],
    [['hlep'], 'Did you mean help?'],
    [['decode', '--stratgey', 'greedy', 'a'], 'Did you mean --strategy? foretoken decode --help lists all.'],
    [['race', '--stratgies', 'greedy'], 'Did you mean --strategies? foretoken race --help lists all.'],
    [['race', '--strategy', 'greedy'], 'foretoken race has no option --strategy. Did you mean --strategies?'],
    [['decode', '--strategy', 'gredy', 'a'], 'but was "gredy". Did you mean greedy?'],
    [['decode', '--strategy', 'beamSearch', 'a'], 'but was "beamSearch". Did you mean beam?'],
    [['decode', '--strategy', 'ctc-greedy', 'a'], 'but was "ctc-greedy". Did you mean ctc?'],
    [['decode', '--variant', 'fats', 'a'], 'but was "fats". Did you mean fast?'],
    [['race', '--task', 'translat'], 'but was "translat". Did you mean translate?'],
    [['race', '--strategies', 'greedy,ctcGreedy'], 'Did you mean ctc?'],
    [['help', 'race', 'decode'], 'Unexpected argument decode'],
    [['temperature'], 'Unknown command temperature. Commands:'],
    [['decode', 'a', '--threads', '9'], '--threads 9 is more than this process has processors: give 1 to 8'],
    [['race', '--threads', '1025'], '--threads must be an integer'],
    [['decode', 'a', '--file', 'b'], '--text and --file exclude each other'],
    [['race', '--nonsense'], 'Unknown option --nonsense'],
    [['race', '-x'], 'Unknown option -x'],
    [['decode', '--samples', '2'], 'Did you mean --hypotheses?'],
    [['decode', '--rescore'], 'Did you mean --rescoring?'],
    [['decode', '--no-repeat'], 'Did you mean --no-adjacent-repeats?'],
    [['decode', '--least-masked', '1'], 'Did you mean --min-masked?'],
    [['decode', '--beam-sise', '2'], 'Did you mean --beam-size?'],
    [['race', '--no-json'], 'Unknown option --no-json'],
    [['race', '--constructor'], 'Unknown option --constructor'],
    [['race', '--text.foo', 'x'], 'Unknown option --text.foo'],
    [['race', '--max-new-tokens', '3'], 'foretoken race has no option --max-new-tokens'],
    [['decode', '--limit', '3'], 'foretoken decode has no option --limit'],
    [['decode', '--text'], '--text needs a value'],
    [['decode', '--text', '--json'], '--text needs a value'],
    [['decode', '--json=yes'], '--json takes no value'],
    [['race', 'stray'], 'Unexpected argument stray'],
    [['race', '--', '--text'], 'Unexpected argument --text'],
    [['race', '--json', 'stray'], 'Unexpected argument stray'],
    [['inspect'], 'foretoken inspect needs <folder>. For example: foretoken inspect my-model'],
    [
      ['import', 'a.gguf', 'my-model'],
      'Unexpected argument my-model after foretoken import. To write there, give --out my-model.',
    ],
    [['chat'], 'Unknown command chat. Did you mean foretoken decode --chat?'],
    [['convert', 'a.gguf'], 'Unknown command convert. Did you mean foretoken import?'],
    [['constructor'], 'Unknown command constructor. Commands:'],
    [['import', 'weights'], 'needs --out'],
    [['import', 'weights', '--out', 'x', '--weights', 'int2'], '--weights must be one of float16, float32, int8, int4'],
    [
      ['decode', '--strategy', 'magic', '--text', 'a'],
      '--strategy must be one of greedy, sampling, beam, speculative, ctc, ctc-prefix-beam',
    ],
    [['decode', '--drafter', 'ngram', '--text', 'a'], '--drafter goes with --strategy speculative'],
    [
      ['decode', '--beam-size', '4', '--text', 'a'],
      '--beam-size goes with --strategy beam, ctc-prefix-beam or dag-beam, not with greedy',
    ],
    [
      ['decode', '--strategy', 'ctc', '--min-new-tokens', '4', '--text', 'a'],
      'goes with --strategy greedy, sampling or beam',
    ],
    [['decode', '--strategy', 'sampling', '--top-p', 'half', '--text', 'a'], '--top-p must be a number'],
    [['decode', '--strategy', 'sampling', '--top-p', '1.5', '--text', 'a'], '--top-p must be a number from'],
    [['decode', '--strategy', 'beam', '--beam-size', '0', '--text', 'a'], '--beam-size must be an integer from 1'],
    [
      ['decode', '--strategy', 'mask-predict', '--levels', '4', '--text', 'a'],
      '--levels goes with --strategy easy-first, not with mask-predict',
    ],
    [
      ['decode', '--strategy', 'mask-predict', '--no-adjacent-repeats', '--text', 'a'],
      '--no-adjacent-repeats goes with --strategy nat, not with mask-predict',
    ],
    [
      ['decode', '--strategy', 'insertion', '--initial-outputs', 'x', '--text', 'a'],
      '--initial-outputs goes with --strategy levensh',
    ],
    [['decode', '--strategy', 'mask-predict', '--schedule', 'x', '--text', 'a'], '--schedule must be one of linear'],
    [['decode', '--strategy', 'mask-predict', '--iterations', '0', '--text', 'a'], '--iterations must be an integer'],
    [
      ['decode', '--strategy', 'masked-diffusion', '--order', 'entropy-bounded', '--text', 'a'],
      '--entropy-bound is required by the order entropy-bounded',
    ],
    [
      ['decode', '--strategy', 'ctc-prefix-beam', '--hot-word-bonus', '2', '--text', 'a'],
      'no effect without --hot-word',
    ],
    [['decode', '--strategy', 'ctc-prefix-beam', '--hot-word', ' ', '--text', 'a'], '--hot-word is blank'],
    [
      ['decode', '--strategy', 'levenshtein', '--initial-outputs', '/no', '--text', 'a'],
      '--initial-outputs "/no" cannot be read',
    ],
    [['race', '--no-adjacent-repeats'], 'foretoken race has no option --no-adjacent-repeats'],
    [['decode', '--text', 'a', '--stop-string', ''], 'stopStrings needs strings'],
    [['decode', '--text', 'a', '--file', 'b'], '--text and --file exclude each other'],
    [['decode', '--text', 'a', '--json', '--jsonl'], '--json and --jsonl exclude each other'],
    [['decode', '--text', 'a', '--max-new-tokens', '0'], '--max-new-tokens must be an integer'],
    [['decode'], 'nothing to decode'],
    [['decode', '--file', '/no/such/file'], '--file "/no/such/file" cannot be read'],
    [['decode', '--file', '/'], '--file "/" cannot be read'],
    [['race', '--strategies', 'greedy,magic'], '--strategies must be one of'],
    [['race', '--strategies', 'greedy,greedy'], '--strategies names greedy twice'],
    [['race', '--threads', 'many'], '--threads must be an integer'],
  ])('%j: %s', async (argv, message) => {
    const { code, stdout, stderr } = await cli(argv);
    expect(stderr).toContain('error INVALID_ARGUMENT');
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    if (!argv.some((argument) => argument.startsWith('--json'))) expect(stdout).toBe('');
  });

  it('come as one JSON object with --json, before the command line was understood too', async () => {
    const { code, stdout } = await cli(['race', '--json', '--nonsense']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('--nonsense'),
        details: { received: '--nonsense' },
      },
    });
  });
});

describe('help and version', () => {
  it('shows examples before options', async () => {
    for (const argv of [
      ['--help'],
      ['-h'],
      ['race', '--help'],
      ['decode', '-h'],
      ['inspect', '--help'],
      ['import', '-h'],
    ]) {
      const { code, stdout, stderr } = await cli(argv);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout.indexOf('Examples:')).toBeGreaterThan(0);
      expect(stdout.indexOf('Examples:')).toBeLessThan(stdout.indexOf('Options:'));
    }
  });

  it('is also a command', async () => {
    expect(await cli(['help'])).toEqual(await cli(['--help']));
    expect(await cli(['help', 'decode'])).toEqual(await cli(['decode', '--help']));
  });

  it('fits a terminal of 40 columns, and of 30', async () => {
    for (const columns of [30, 40, 80]) {
      for (const argv of [[], ...COMMANDS.map((name) => [name])]) {
        const { stdout } = await cli(['help', ...argv], { stdoutIsTerminal: true, columns });
        for (const line of stdout.split('\n')) {
          // Nothing breaks a word, or a quoted text, whose blanks count.
          const longest = Math.max(...(line.match(/"[^"]*"|\S+/g) ?? ['']).map((word) => word.length));
          const most = Math.max(columns, longest + (/["\\]/.test(line) ? 10 : 3));
          expect(line.length, `${argv} in ${columns}: ${line}`).toBeLessThanOrEqual(most);
          if (line.endsWith(' \\')) expect(line.split('"').length % 2).toBe(1);
        }
      }
    }
    const piped = await cli(['help', 'decode'], { env: { COLUMNS: '40' } });
    expect(Math.max(...piped.stdout.split('\n').map((line) => line.length))).toBeLessThan(60);
  });

  it('names every option of a command in its help', async () => {
    const { stdout } = await cli(['decode', '--help']);
    for (const { flag } of decodeCommand.options) expect(stdout).toContain(flag);
  });

  it('prints the version', async () => {
    for (const argv of [['--version'], ['-v']]) {
      expect(await cli(argv)).toEqual({ code: 0, stdout: 'foretoken 1.2.3\n', stderr: '' });
    }
  });

  it('helps on standard error when there is no command', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Examples:');
  });
});
