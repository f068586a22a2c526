import { execFileSync } from 'node:child_process';

/** What was checked, printed as it comes; faults are kept and decide how the check ends. */
export class Report {
  faults = [];

  /** One checked thing: whatever is in `found` is a fault of it. */
  checked(what, found = []) {
    this.faults.push(...found.map((fault) => `${what}: ${fault}`));
    console.log(
      found.length === 0 ? `ok    ${what}` : `FAULT ${what}:\n${found.map((fault) => `      ${fault}`).join('\n')}`,
    );
  }

  note(text) {
    console.log(`      ${text}`);
  }

  /** Runs a command in a folder and gives what it printed; a failure, or more than five minutes, is a fault. */
  step(what, folder, command, ...words) {
    try {
      const output = execFileSync(command, words, {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 300_000,
      });
      this.checked(what);
      return output;
    } catch (error) {
      this.checked(what, [`${error.stdout ?? ''}${error.stderr ?? ''}` || error.message]);
      return undefined;
    }
  }
}
