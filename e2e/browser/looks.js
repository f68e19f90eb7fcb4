// How pages look, to people and to programs that read them aloud: axe in light and in dark, pictures at
// three widths, and no page that scrolls sideways on a telephone.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { AxeBuilder } from '@axe-core/playwright';

import { Person } from './browser.js';
import { places } from './places.js';
import { QUIET } from './stage.js';

const WIDTHS = [360, 768, 1440];
const HEIGHT = 900;
/** WCAG 2.2, levels A and AA, and what axe knows of good practice beyond. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export function looks(bench) {
  describe('how pages look', () => {
    it('has no violation of WCAG 2.2 AA in light and dark, and no page scrolls sideways at 360 px', async () => {
      const { demo } = bench;
      const { id } = await bench.stage.convicted();
      await demo.open('img-quality', 50);
      const { revision } = await demo.kill('img-quality', { reason: 'error rate', incident: 'INC-412' });
      const person = await bench.visitor();
      const ofDemo = places({
        flag: 'new-checkout',
        segment: 'staff',
        plan: 'demo',
        rollout: id,
        revision,
      });
      const ownPages = [
        ['rollout-holding', `/rollouts/${bench.stage.stuck}?env=${QUIET}`],
        ['kill-confirmed', `/kill/img-quality?env=prod&r=${revision}`],
        ['not-there', '/flags/nothing-is-called-so?env=prod'],
      ];
      const findings = [];
      for (const [name, path] of [...ofDemo, ...ownPages]) {
        findings.push(...(await look(person.page, name, path, bench.out)));
      }
      const stranger = await Person.sit(bench.browser, demo);
      findings.push(...(await look(stranger.page, 'sign-in', '/sign-in', bench.out)));
      assert.deepEqual(findings, []);
      await person.leave({ expected: ['nothing-is-called-so'] });
      await stranger.leave();
    });
  });
}

/** Looks at one page in every way; gives what is wrong with it. */
export async function look(page, name, path, out) {
  const findings = [];
  await mkdir(join(out, 'pages'), { recursive: true });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize({ width: WIDTHS.at(-1), height: HEIGHT });
  const answer = await page.goto(path);
  const expected = name === 'not-there' ? 404 : 200;
  if (answer.status() !== expected) findings.push(`${name}: ${answer.status()}`);
  // As tall as the page, so that nothing is under what stays at the bottom of a window.
  const tall = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: WIDTHS.at(-1), height: Math.max(tall, HEIGHT) });
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    const axe = new AxeBuilder({ page })
      .setLegacyMode(true)
      .options({
        runOnly: { type: 'tag', values: TAGS },
        rules: { 'target-size': { enabled: true } },
        resultTypes: ['violations'],
      });
    const { violations } = await axe.analyze();
    for (const { id, help, nodes } of violations) {
      const where = nodes.slice(0, 3).map(({ target, failureSummary }) => `${target}: ${failureSummary}`);
      findings.push(`${name} in ${scheme}: ${id}: ${help} (${nodes.length})\n    ${where.join('\n    ')}`);
    }
    await page.screenshot({ path: join(out, 'pages', `${name}-${scheme}-1440.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  for (const width of WIDTHS.slice(0, -1)) {
    await page.setViewportSize({ width, height: HEIGHT });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) findings.push(`${name} at ${width} px: scrolls sideways, ${wide} px`);
    await page.screenshot({ path: join(out, 'pages', `${name}-light-${width}.png`), fullPage: true });
  }
  return findings;
}
