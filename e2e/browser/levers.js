// Levers that are not killed: a freeze, a ramp, a flag that is made; and what was done to them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { task } from './task.js';

export function levers(bench) {
  describe('a lever', () => {
    it('does not open in an environment that was frozen', async () => {
      const { lever } = bench;
      await lever.flag('frozen-out');
      const person = await bench.person();
      const { page } = person;
      await page.goto('/kill?env=prod');
      await task('freeze everything', { actions: 4, seconds: 8 }, page, async (hand) => {
        await hand.click(page.getByRole('link', { name: 'Freeze prod or everything' }));
        await hand.check(page.getByRole('radio', { name: 'everything' }).first());
        await hand.fill(page.getByLabel('Reason'), 'INC-500, all hands');
        await hand.click(page.getByRole('button', { name: 'Freeze', exact: true }));
        await page.getByRole('row', { name: /prod/ }).getByText('frozen').waitFor();
      });
      for (const environment of ['dev', 'staging', 'prod']) {
        const { freeze } = await lever.get(`/environments/${environment}/status`);
        assert.equal(freeze.reason, 'INC-500, all hands');
        assert.equal(freeze.by, 'first admin');
      }
      assert.equal((await lever.records())[0].via, 'console');
      await assert.rejects(lever.open('frozen-out', 100), /: 409 .*prod is frozen/);
      for (const environment of ['dev', 'staging', 'prod']) {
        await lever.ask('DELETE', `/environments/${environment}/freeze`, { why: { reason: 'over' } });
      }
      await person.leave();
    });

    it('is ramped from 5 to 25 %', async () => {
      const { lever } = bench;
      await lever.flag('ramped');
      await lever.open('ramped', 5);
      const person = await bench.person();
      const { page } = person;
      await page.goto('/flags/ramped?env=prod');
      await task('ramp 5 → 25 %', { actions: 3, seconds: 8 }, page, async (hand) => {
        await hand.click(page.getByRole('link', { name: 'Move the lever' }));
        await hand.fill(page.getByLabel(/^Reason/).first(), 'five per cent were fine');
        await hand.click(page.getByRole('button', { name: '25 %' }));
        await page.getByText('3/3 evaluators confirmed').waitFor();
      });
      const { position, moved_revision: revision } = await lever.lever('ramped');
      assert.deepEqual(position.exposure, { percentage: 25 });
      const record = await lever.get(`/journal/${revision}`);
      assert.equal(record.via, 'console');
      assert.equal(record.reason, 'five per cent were fine');
      await person.leave();
    });

    it('is not moved by somebody who has not seen its last change, and is told so', async () => {
      const { lever } = bench;
      await lever.flag('raced');
      await lever.open('raced', 5);
      const person = await bench.person({ javaScriptEnabled: false });
      const { page } = person;
      await page.goto('/flags/raced?env=prod');
      await page.getByRole('link', { name: 'Move the lever' }).click();
      await page.getByLabel('Ramp to, in per cent').fill('50');
      await page.getByLabel(/^Reason/).first().fill('fine at five');
      await lever.open('raced', 10);
      await page.getByRole('button', { name: 'Ramp' }).click();
      await page.getByRole('alert').waitFor();
      assert.equal(await page.getByLabel('Ramp to, in per cent').inputValue(), '50');
      assert.equal(await page.getByLabel(/^Reason/).first().inputValue(), 'fine at five');
      assert.deepEqual((await lever.lever('raced')).position.exposure, { percentage: 10 });
      await person.leave({ expected: ['412'] });
    });

    it('is made with its flag, which has an owner and a sunset', async () => {
      const { lever } = bench;
      const person = await bench.person();
      const { page } = person;
      await page.goto('/flags?env=prod');
      await task('create a flag', { actions: 6, seconds: 15 }, page, async (hand) => {
        await hand.click(page.getByRole('link', { name: 'New flag' }));
        await hand.fill(page.getByLabel('Key', { exact: true }), 'new-basket');
        await hand.fill(page.getByLabel('Owner', { exact: true }), 'team-pay');
        await hand.fill(page.getByLabel('Sunset', { exact: true }), '2027-03-31');
        await hand.click(page.getByRole('button', { name: 'Create it, closed everywhere' }));
        await page.getByRole('heading', { name: 'new-basket' }).waitFor();
      });
      const { definition, levers } = await lever.get('/flags/new-basket');
      assert.equal(definition.owner, 'team-pay');
      assert.equal(definition.sunset, '2027-03-31');
      assert.equal(definition.kind, 'release');
      assert.ok(levers.every(({ position }) => position.state === 'closed'), 'closed everywhere');
      await person.leave();
    });

    it('says whether a user is in, and why', async () => {
      const { lever } = bench;
      await lever.flag('asked');
      await lever.open('asked', 25);
      const ask = { flag: 'asked', context: { targetingKey: 'u-1' }, explain: true };
      const truth = await lever.post('/environments/prod/evaluate', ask);
      const person = await bench.person();
      const { page } = person;
      await page.goto('/flags/asked?env=prod');
      await task('is this user in, and why', { actions: 2, seconds: 5 }, page, async (hand) => {
        await hand.fill(page.getByLabel('User', { exact: true }), 'u-1');
        await hand.press('Enter');
        await page.getByText(truth.value ? /^\W*In\.$/ : /^\W*Not in\.$/).waitFor();
        const decided = page.getByRole('listitem').filter({ hasText: 'this decided' });
        const [bucket] = /is at [\d.]+ %/.exec(truth.steps.at(-1).sentence);
        await decided.filter({ hasText: bucket }).waitFor();
      });
      await person.leave();
    });
  });
}
