// Rollouts, as somebody sees them who was not there: what became of it and why, why it does not move,
// who was woken; and steering one by hand.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { eventually } from './lever.js';
import { PAUSABLE, QUIET, READY, STUCK } from './stage.js';
import { task } from './task.js';

/** Reading something that is shown: from Now with at most two links followed. */
const READ = { actions: 2, seconds: 5 };

export function rollouts(bench) {
  const running = async (id) => bench.demo.get(`/rollouts/${id}`);
  const lastMove = async (id) => (await running(id)).moves.at(-1);

  describe('a rollout', () => {
    it('says first why it was rolled back', async () => {
      await bench.stage.convicted();
      const person = await bench.visitor();
      const { page } = person;
      await page.goto('/now?env=prod');
      await task('why was it rolled back', READ, page, async (hand) => {
        await hand.click(page.getByRole('link', { name: 'new-checkout was rolled back' }));
        await page.getByRole('heading', { name: 'What it came to' }).waitFor();
        const sentence = page.getByText(/\d+ % of users on new-checkout fail against/).first();
        await sentence.waitFor();
        const text = await sentence.textContent();
        assert.match(text, /users? hit/);
        const [first] = await page.getByRole('region', { name: 'Verdict' }).allInnerTexts();
        assert.match(first, /rolled back[^]*fail against/, 'the verdict is the first that is said');
      });
      await person.leave();
    });

    it('says whom it paged, and whether the page went out', async () => {
      await bench.stage.convicted();
      const person = await bench.visitor();
      const { page } = person;
      await page.goto('/now?env=prod');
      await task('whom did it page', READ, page, async (hand) => {
        await page.getByText(/Paged: .*pager/).first().waitFor();
        await hand.click(page.getByRole('link', { name: 'new-checkout was rolled back' }));
        const told = page.getByRole('listitem').filter({ hasText: 'new-checkout was rolled back in prod' });
        await told.getByText('page went out').waitFor();
        await told.getByText('went to pager').waitFor();
      });
      await person.leave();
    });

    it('says why it does not move', async () => {
      const person = await bench.visitor();
      const { page } = person;
      await page.goto(`/now?env=${QUIET}`);
      await task('why is it not moving', READ, page, async (hand) => {
        await hand.click(page.getByRole('link', { name: STUCK }).first());
        await page.getByText(/errors has no data/).first().waitFor();
      });
      await person.leave();
    });

    it('is paused and goes on again', async () => {
      const { pausable } = bench.stage;
      const person = await bench.visitor();
      const { page } = person;
      await page.goto(`/rollouts/${pausable}?env=${QUIET}`);
      await task('pause and resume', { actions: 4, seconds: 10 }, page, async (hand) => {
        await hand.click(page.getByRole('button', { name: /Pause/ }));
        await page.getByRole('button', { name: /Let it go on/ }).waitFor();
        const paused = await running(pausable);
        assert.equal(paused.state, 'paused');
        const resume = page.getByRole('button', { name: /Let it go on/ });
        const form = page.locator('form').filter({ has: resume });
        await hand.fill(form.getByLabel('Reason'), 'looked, and it was the cache');
        await hand.click(resume);
        await page.getByRole('button', { name: /Pause/ }).waitFor();
      });
      const move = await eventually('the resumption', async () => {
        const last = await lastMove(pausable);
        return last.to === 'baking' && last;
      });
      assert.equal(move.by, 'first admin');
      const record = await bench.demo.get(`/journal/${move.revision}`);
      assert.equal(record.via, 'console');
      assert.equal(record.reason, 'looked, and it was the cache');
      await person.leave();
    });

    it('is started after its preflight was read', async () => {
      const person = await bench.visitor();
      const { page } = person;
      await page.goto(`/flags/${READY}?env=${QUIET}`);
      await task('start a rollout after its preflight', { actions: 5, seconds: 15 }, page, async (hand) => {
        await hand.click(page.getByRole('link', { name: 'Start a rollout' }));
        await hand.choose(page.getByLabel('Plan'), 'patient');
        await hand.click(page.getByRole('button', { name: 'Look before it starts' }));
        const stages = page.getByRole('region', { name: 'Stages, a table' });
        await stages.getByRole('row', { name: /5 %.*as bad/ }).waitFor();
        await hand.fill(page.getByLabel(/^Reason/), 'the new search, for everybody');
        await hand.click(page.getByRole('button', { name: `Start ${READY} at 1 %` }));
        await page.getByRole('button', { name: /Pause/ }).waitFor();
      });
      const { rollouts: started } = await bench.demo.get(`/rollouts?flag=${READY}&environment=${QUIET}`);
      assert.equal(started[0].reason, 'the new search, for everybody');
      assert.equal(started[0].started_by, 'first admin');
      assert.equal((await bench.demo.lever(READY, QUIET)).position.state, 'open');
      await person.leave();
    });
  });
}
