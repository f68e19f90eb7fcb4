// Pages that are looked at are true: they hear of what changes, they say how old they are, and they stop
// asking when nobody looks.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Person } from './browser.js';
import { proxy } from './elsewhere.js';
import { eventually, Lever } from './lever.js';
import { QUIET } from './stage.js';
import { figure } from './task.js';

/** A second session sees a change this soon, in milliseconds. */
const SEEN_MS_MAX = 1_000;
/** And the slowest of a few on a machine that does other things at the same time. */
const SLOWEST_MS_MAX = 2_000;
/** A page says that it is stale, or asks where streams break, this soon, in milliseconds. */
const NOTICED_MS_MAX = 20_000;

export function live(bench) {
  describe('what is looked at is live', () => {
    it('shows a change of one session in another within a second', async () => {
      const { lever } = bench;
      const times = [];
      const looker = await bench.person();
      const { page } = looker;
      for (const number of [1, 2, 3, 4, 5]) {
        const flag = `seen-${number}`;
        await lever.flag(flag);
        await page.goto('/now?env=prod');
        await page.getByText(/^live · /).waitFor();
        const row = page.getByText(flag, { exact: true });
        assert.equal(await row.count(), 0, 'a lever at rest is not on Now');
        await lever.open(flag, 100);
        const changed = performance.now();
        await row.first().waitFor();
        times.push(performance.now() - changed);
      }
      times.sort((a, b) => a - b);
      figure('a change in another session, half of five', times[2], SEEN_MS_MAX, 'ms');
      figure('a change in another session, the slowest', times[4], SLOWEST_MS_MAX, 'ms');
      await looker.leave();
    });

    it('closes the stream of a tab that is hidden, and is up to date when it is looked at again', async () => {
      const { lever } = bench;
      const way = await proxy(lever);
      try {
        await lever.flag('hidden');
        const looker = await bench.person({ at: way.url });
        const { page } = looker;
        await page.goto('/now?env=prod');
        await eventually('a stream', () => way.streams() === 1);
        await show(page, false);
        await eventually('no stream', () => way.streams() === 0);
        await lever.open('hidden', 100);
        await show(page, true);
        await page.getByText('hidden', { exact: true }).first().waitFor();
        await eventually('a stream again', () => way.streams() === 1);
        await looker.leave();
      } finally {
        await way.close();
      }
    });

    it('stays under the hands of who goes through it by keyboard', async () => {
      const looker = await bench.visitor();
      const { page } = looker;
      await page.goto(`/rollouts/${bench.stage.pausable}?env=${QUIET}`);
      const back = page.getByRole('button', { name: /Roll back now/ });
      await back.focus();
      // Twice, because the first time everything may still be as it came.
      await page.evaluate(() => new Promise((over) => {
        let left = 2;
        const hear = (event) => {
          if (event.target.dataset.live === 'steering' && (left -= 1) === 0) {
            document.removeEventListener('lever:fresh', hear);
            over();
          }
        };
        document.addEventListener('lever:fresh', hear);
      }));
      assert.match(await page.evaluate(() => document.activeElement.textContent), /Roll back now/);
      await looker.leave();
    });

    it('asks every two seconds where a proxy holds streams back', async () => {
      const { lever } = bench;
      const way = await proxy(lever, { holds: true });
      try {
        await lever.flag('polled');
        const looker = await bench.person({ at: way.url });
        const { page } = looker;
        await page.goto('/now?env=prod');
        await page.getByText(/^polling · /).waitFor({ timeout: NOTICED_MS_MAX });
        assert.ok(way.polls() > 0);
        await lever.open('polled', 100);
        await page.getByText('polled', { exact: true }).first().waitFor();
        await looker.leave();
      } finally {
        await way.close();
      }
    });

    it('says that it is stale when the server hangs, and is live again with it', async () => {
      const lever = await Lever.serve();
      try {
        const looker = await Person.sit(bench.browser, lever, { token: lever.token });
        const { page } = looker;
        await page.goto('/now?env=prod');
        await page.getByText(/^live · /).waitFor();
        lever.pause();
        await page.getByText(/^stale \d+ s, reconnecting/).waitFor({ timeout: NOTICED_MS_MAX });
        lever.resume();
        await page.getByText(/^live · /).waitFor({ timeout: NOTICED_MS_MAX });
        await looker.leave();
      } finally {
        await lever.close();
      }
    });
  });
}

/** Shows a tab or hides it, as far as the page can tell: a browser without windows hides none. */
async function show(page, isVisible) {
  await page.evaluate((visible) => {
    Object.defineProperty(document, 'hidden', { value: !visible, configurable: true });
    const state = visible ? 'visible' : 'hidden';
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isVisible);
}
