// Closes a run of the tests: which were skipped, by file, and why where a browser was wanting. With a status, that of the whole
// run, it gives the counts too. A run in which tests are skipped is never told as a whole one.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [file, status] = process.argv.slice(2);
const report = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { numPassedTests: 0, numFailedTests: 1, testResults: [] };

const skipped = report.testResults.flatMap(({ name, assertionResults }) => {
  const titles = assertionResults.filter(({ status }) => !['passed', 'failed'].includes(status));
  return titles.length === 0 ? [] : [{ name, file: relative(process.cwd(), name), titles }];
});
const count = skipped.reduce((sum, { titles }) => sum + titles.length, 0);
if (count > 0) {
  console.log(`SKIPPED ${count} tests:`);
  for (const { file, titles } of skipped) {
    console.log(`  ${file}`);
    for (const { fullName } of titles) console.log(`    ${fullName.trim()}`);
  }
  if (skipped.some(({ name }) => readFileSync(name, 'utf8').includes('skipIf(chromium === undefined)'))) {
    console.log(
      'NOT TESTED IN A BROWSER: no Chromium was found. Run node scripts/install-chromium.mjs, or set CHROME_PATH. With FORETOKEN_REQUIRE_BROWSER=1 this is a failure.',
    );
  }
}
if (status !== undefined) {
  // A check that failed without a failing test (types, lint, build) is a failure too.
  const failed = report.numFailedTests || Number(status !== '0');
  console.log(`${report.numPassedTests} passed, ${failed} failed`);
}
