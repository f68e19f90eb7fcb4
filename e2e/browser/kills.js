// The big lever: from a pager's link, without a script, without a mouse, several at once.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { EVALUATORS } from './bench.js';
import { Person } from './browser.js';
import { hostileSite, otherSite } from './elsewhere.js';
import { task } from './task.js';

/** What a kill of one flag may take. */
const KILL = { actions: 2, seconds: 5 };
/** Longer than the lever has to be held, in milliseconds; and clearly shorter. */
const HELD_MS = 1_000;
const TOUCHED_MS = 150;

export function kills(bench) {
  const onThePage = {
    lever: (page) => page.getByRole('button', { name: /^Kill / }),
    reason: (page) => page.getByRole('radio', { name: 'errors up' }),
    confirmed: (page, count = EVALUATORS) => page.getByText(`${count}/${count} evaluators confirmed`),
  };

  /** A flag that is open to everybody. */
  const opened = async (...flags) => {
    for (const flag of flags) {
      await bench.lever.flag(flag, { runbook: `Back to the legacy path of ${flag}` });
      await bench.lever.open(flag, 100);
    }
  };

  /** Sees from outside that a kill is what it says: closed, latched, confirmed, and by whom and why. */
  const isKilled = async (flag, { reason = /^errors up$/, incident } = {}) => {
    const { lever } = bench;
    const { position, moved_revision: revision } = await lever.lever(flag);
    assert.equal(position.state, 'closed');
    assert.equal(position.latched, true);
    const confirmation = await lever.get(`/environments/prod/confirmations/${revision}`);
    assert.equal(confirmation.state, 'confirmed');
    assert.equal(confirmation.confirmed, EVALUATORS);
    const record = await lever.get(`/journal/${revision}`);
    assert.equal(record.actor_name, 'first admin');
    assert.equal(record.via, 'console');
    assert.match(record.reason, reason);
    assert.equal(record.incident, incident);
    return revision;
  };

  describe('the kill lever', () => {
    it("is pulled from a pager's link in two actions", async () => {
      await opened('pager-kill');
      const person = await bench.person();
      const { page } = person;
      const href = `${bench.lever.url}/kill/pager-kill?env=prod&amp;inc=INC-412`;
      const pager = await otherSite([{ href, text: 'Kill pager-kill' }]);
      try {
        await page.goto(pager.url);
        await task('kill from a pager link', KILL, page, async (hand) => {
          await page.getByRole('link', { name: 'Kill pager-kill' }).click();
          await page.getByText('Back to the legacy path').first().waitFor();
          await hand.click(onThePage.reason(page));
          await hand.hold(onThePage.lever(page), () => onThePage.confirmed(page).waitFor());
        });
        await isKilled('pager-kill', { incident: 'INC-412' });
        await person.leave({ strayed: [pager.url] });
      } finally {
        await pager.close();
      }
    });

    it('is pulled without a script, and its page comes to say that it is confirmed', async () => {
      await opened('plain-kill');
      const person = await bench.person({ javaScriptEnabled: false });
      const { page } = person;
      await page.goto('/kill/plain-kill?env=prod');
      await task('kill without JavaScript', KILL, page, async (hand) => {
        await hand.click(onThePage.reason(page));
        await hand.click(onThePage.lever(page));
        await onThePage.confirmed(page).waitFor();
      });
      await isKilled('plain-kill');
      await person.leave();
    });

    it('is pulled with the keyboard alone', async () => {
      await opened('keyed-kill');
      const person = await bench.person();
      const { page } = person;
      await page.goto('/kill/keyed-kill?env=prod');
      await task('kill by keyboard', KILL, page, async (hand) => {
        await hand.tabTo(onThePage.reason(page));
        await hand.press('Space');
        await hand.tabTo(onThePage.lever(page));
        await hand.press('Enter');
        await onThePage.confirmed(page).waitFor();
      });
      await isKilled('keyed-kill');
      await person.leave();
    });

    it('closes several flags with one pull and one record', async () => {
      const flags = ['cart-a', 'cart-b', 'cart-c'];
      await opened(...flags);
      const person = await bench.person();
      const { page } = person;
      await page.goto('/kill?env=prod');
      await task('kill several at once', { actions: 5, seconds: 10 }, page, async (hand) => {
        for (const flag of flags) await hand.check(page.getByRole('checkbox', { name: flag, exact: true }));
        await hand.click(onThePage.reason(page));
        await hand.hold(onThePage.lever(page), () => onThePage.confirmed(page).waitFor());
      });
      const revisions = new Set();
      for (const flag of flags) revisions.add(await isKilled(flag));
      assert.equal(revisions.size, 1, 'one pull is one record');
      await person.leave();
    });

    it('does nothing when it is let go too soon', async () => {
      await opened('touched');
      const person = await bench.person();
      const { page } = person;
      await page.goto('/kill/touched?env=prod');
      const before = (await bench.lever.records('touched'))[0].revision;
      const posts = [];
      page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
      const lever = onThePage.lever(page);
      await lever.scrollIntoViewIfNeeded();
      const box = await lever.boundingBox();
      assert.ok(box.height >= 88, `the lever is ${box.height} px high`);
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      // That nothing comes of it can only be seen by waiting for longer than something would take.
      const passed = (ms) => page.evaluate((ms) => new Promise((over) => setTimeout(over, ms)), ms);
      await page.mouse.down();
      await passed(TOUCHED_MS);
      await page.mouse.up();
      await passed(HELD_MS);
      assert.deepEqual(posts, []);
      assert.equal((await bench.lever.records('touched'))[0].revision, before);
      assert.equal((await bench.lever.lever('touched')).position.state, 'open');
      await person.leave();
    });

    it('is pulled without holding by who can only click', async () => {
      await opened('clicked');
      const person = await bench.person();
      const { page } = person;
      await page.goto('/kill/clicked?env=prod');
      const other = page.getByRole('button', { name: /without holding/ });
      assert.equal(await other.count(), 0);
      await onThePage.lever(page).click();
      assert.equal((await bench.lever.lever('clicked')).position.state, 'open');
      await other.click();
      await page.getByText(/evaluators confirmed/).first().waitFor();
      assert.equal((await bench.lever.lever('clicked')).position.state, 'closed');
      await person.leave();
    });

    it('names the evaluator that has not confirmed, and what to do about it', async () => {
      await opened('straggled');
      const one = await bench.evaluators.one('straggled', { application: 'deaf-app', build: 'b-17' });
      const person = await bench.person();
      const { page } = person;
      await page.goto('/kill/straggled?env=prod');
      one.pause();
      try {
        await onThePage.reason(page).click();
        await onThePage.lever(page).focus();
        await page.keyboard.press('Enter');
        await page.getByText(`${EVALUATORS} of ${EVALUATORS + 1} evaluators have it`).waitFor();
        const straggler = page.getByRole('listitem').filter({ hasText: 'deaf-app · build b-17' });
        await straggler.getByText('still answers OPEN').waitFor();
        await straggler.getByText('restart it').waitFor();
        // What is out and not confirmed by everybody is never called confirmed.
        assert.equal(await page.getByText(/evaluators confirmed/).count(), 0);
      } finally {
        one.resume();
      }
      await onThePage.confirmed(page, EVALUATORS + 1).waitFor();
      assert.equal(one.answers.at(-1).endsWith(' straggled false'), true);
      await person.leave();
      await one.leave();
    });

    it('is not pulled by a form on another site', async () => {
      await opened('not-theirs');
      const person = await bench.person();
      const { page } = person;
      const fields = { flag: 'not-theirs', env: 'prod', reason: 'free prizes' };
      const site = await hostileSite(`${bench.lever.url}/kill?env=prod`, fields);
      try {
        await page.goto(site.url);
        const [answer] = await Promise.all([
          page.waitForResponse((response) => response.request().method() === 'POST'),
          page.getByRole('button', { name: 'Win' }).click(),
        ]);
        assert.equal(answer.status(), 403);
        assert.equal((await bench.lever.lever('not-theirs')).position.state, 'open');
        await person.leave({ strayed: [site.url], expected: ['403'] });
      } finally {
        await site.close();
      }
    });
  });
}
