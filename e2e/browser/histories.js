// What was: changes of a while ago in the journal; and who has not heard of them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Person } from './browser.js';
import { Evaluators } from './evaluators.js';
import { Lever } from './lever.js';
import { task } from './task.js';

export function histories(bench) {
  describe('what was', () => {
    it('in the last thirty minutes is one click from Now', async () => {
      const { lever } = bench;
      await lever.flag('changed');
      await lever.open('changed', 40, 'prod', 'forty is enough');
      const person = await bench.person();
      const { page } = person;
      await page.goto('/now?env=prod');
      await task('what changed in the last 30 minutes', { actions: 2, seconds: 5 }, page, async (hand) => {
        await hand.click(page.getByRole('link', { name: 'Audit' }));
        await hand.click(page.getByRole('link', { name: /30 min/ }));
        await page.getByText('forty is enough').first().waitFor();
      });
      assert.match(page.url(), /range=30m/);
      await person.leave();
    });

    it('is known to every evaluator but the one that does not hear, until it does', async () => {
      const lever = await Lever.serve();
      const evaluators = await Evaluators.of(lever);
      try {
        await lever.flag('told');
        await evaluators.crowd(5);
        const deaf = await evaluators.one('told', { application: 'mailer', build: 'b-41' });
        deaf.pause();
        await lever.open('told', 100);
        const person = await Person.sit(bench.browser, lever, { token: lever.token });
        const { page } = person;
        await page.goto('/now?env=prod');
        await task('find the stale evaluator', { actions: 1, seconds: 5 }, page, async (hand) => {
          await hand.click(page.getByRole('link', { name: 'Fleet' }));
          const rows = page.getByRole('row').filter({ hasText: 'mailer' });
          await rows.first().waitFor();
          const first = page.getByRole('row').nth(1);
          assert.match(await first.textContent(), /mailer/, 'stragglers come first');
          assert.match(await first.textContent(), /b-41/);
        });
        const advice = page.getByText(/restart it/);
        await advice.waitFor();
        deaf.resume();
        await advice.waitFor({ state: 'detached' });
        await person.leave();
      } finally {
        await evaluators.close();
        await lever.close();
      }
    });
  });
}
