// How people come in, and that nobody else does in their name.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Person } from './browser.js';
import { hostileSite, otherSite } from './elsewhere.js';

export function signingIn(bench) {
  const stranger = (options) => Person.sit(bench.browser, bench.lever, options);
  const token = (page) => page.getByRole('textbox', { name: 'Token' });
  const signIn = (page) => page.getByRole('button', { name: 'Sign in' }).click();

  describe('signing in', () => {
    it('leads to the page that was asked for, and to no other site', async () => {
      const person = await stranger();
      const { page } = person;
      await page.goto('/fleet?env=prod&behind=1');
      assert.equal(new URL(page.url()).pathname, '/sign-in');
      await token(page).fill(bench.lever.token);
      await signIn(page);
      await page.getByRole('heading', { name: 'Fleet' }).waitFor();
      assert.equal(new URL(page.url()).search, '?env=prod&behind=1');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('You are signed out').waitFor();
      for (const next of ['https://elsewhere.test/', '//elsewhere.test/', '/\\elsewhere.test']) {
        await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
        await token(page).fill(bench.lever.token);
        await signIn(page);
        await page.getByRole('button', { name: 'Sign out' }).waitFor();
        assert.equal(new URL(page.url()).origin, bench.lever.url);
        await page.getByRole('button', { name: 'Sign out' }).click();
      }
      await person.leave({ expected: ['/now'] });
    });

    it('is refused with a token that is none, in words, and shows nothing', async () => {
      const person = await stranger();
      const { page } = person;
      await page.goto('/sign-in');
      await token(page).fill('lever_nobody');
      await signIn(page);
      await page.getByRole('alert').waitFor();
      assert.equal(await token(page).inputValue(), '', 'a secret is not said back');
      await page.goto('/fleet?env=prod');
      assert.equal(new URL(page.url()).pathname, '/sign-in');
      await person.leave({ expected: ['401', '403'] });
    });

    it('ends with its token', async () => {
      const { lever } = bench;
      const made = await lever.post('/tokens', {
        name: 'short-lived',
        role: 'viewer',
        environments: ['prod'],
        why: { reason: 'made for a test' },
      });
      const person = await stranger({ token: made.token });
      const { page } = person;
      await page.goto('/fleet?env=prod');
      await page.getByRole('heading', { name: 'Fleet' }).waitFor();
      await lever.ask('DELETE', `/tokens/${made.about.id}`, { why: { reason: 'over' } });
      await page.goto('/fleet?env=prod');
      assert.equal(new URL(page.url()).pathname, '/sign-in');
      await person.leave({ expected: ['401'] });
    });

    for (const javaScriptEnabled of [true, false]) {
      const how = javaScriptEnabled ? '' : ', without a script too';
      it(`holds for a link on another site${how}`, async () => {
        const person = await bench.person({ javaScriptEnabled });
        const { page } = person;
        const href = `${bench.lever.url}/fleet?env=prod&amp;q=crowd`;
        const site = await otherSite([{ href, text: 'the fleet' }]);
        try {
          await page.goto(site.url);
          await page.getByRole('link', { name: 'the fleet' }).click();
          await page.getByRole('heading', { name: 'Fleet' }).waitFor();
          assert.equal(new URL(page.url()).search, '?env=prod&q=crowd');
          await person.leave({ strayed: [site.url] });
        } finally {
          await site.close();
        }
      });
    }

    it('does not hold for a form on another site', async () => {
      const person = await bench.person();
      const { page } = person;
      const site = await hostileSite(`${bench.lever.url}/sign-out`, {});
      try {
        await page.goto(site.url);
        const [answer] = await Promise.all([
          page.waitForResponse((response) => response.request().method() === 'POST'),
          page.getByRole('button', { name: 'Win' }).click(),
        ]);
        assert.equal(answer.status(), 403);
        await page.goto('/fleet?env=prod');
        await page.getByRole('heading', { name: 'Fleet' }).waitFor();
        await person.leave({ strayed: [site.url], expected: ['403'] });
      } finally {
        await site.close();
      }
    });
  });
}
