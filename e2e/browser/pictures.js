// The pictures of the README and the documentation, from a real `lever dev`:
//
//     cargo build -p lever && node e2e/browser/pictures.js
//
// Needs pngquant, which makes them a third of the size.

import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { launch, Person } from './browser.js';
import { eventually, Lever } from './lever.js';

const PLACE = new URL('../../docs/pictures/', import.meta.url).pathname;
/** Largest a picture may be, in bytes. */
const BYTES_MAX = 120 * 1024;
const run = promisify(execFile);

async function picture(page, name) {
  const path = join(PLACE, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  await run('pngquant', ['--force', '--output', path, '--quality', '70-95', path]);
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw new Error(`${path} has ${size} bytes, ${BYTES_MAX} are the most`);
  console.log(`${path}  ${(size / 1024).toFixed(0)} KiB`);
}

await mkdir(PLACE, { recursive: true });
const demo = await Lever.dev();
const browser = await launch();
try {
  const wide = await Person.sit(browser, demo, { token: demo.token, viewport: { width: 1280, height: 800 } });
  const latest = async () => (await demo.get('/rollouts?flag=new-checkout')).rollouts[0];
  await wide.page.goto('/now?env=prod');
  await eventually('a rollout at 5 %', async () => (await latest())?.stage === 1, { ms: 90_000 });
  await wide.page.getByText(/▶ 5 % for [2-9][\d.]* s/).first().waitFor();
  await picture(wide.page, 'now');

  await eventually('the rollback', async () => (await latest()).state === 'rolled-back', { ms: 90_000 });
  const { id } = await latest();
  await wide.page.goto(`/rollouts/${id}?env=prod`);
  await wide.page.getByText(/users hit/).first().waitFor();
  await wide.page.getByText(/^live · /).waitFor();
  // Down to where the charts end.
  await wide.page.setViewportSize({ width: 1100, height: 1120 });
  await picture(wide.page, 'rollout');

  const narrow = await Person.sit(browser, demo, { token: demo.token, viewport: { width: 360, height: 720 } });
  await demo.open('img-quality', 50);
  const { revision } = await demo.kill('img-quality', { reason: 'error rate', incident: 'INC-412' });
  await narrow.page.goto(`/kill/img-quality?env=prod&r=${revision}`);
  await narrow.page.getByText('CONFIRMED').first().waitFor();
  await picture(narrow.page, 'kill');
} finally {
  await browser.close();
  await demo.close();
}
