// Debian's Chromium, and people who sit in front of it. Every one of them has a session of their own,
// and whatever the browser complains about while they look on is kept, and ends their test.

import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

const CHROMIUM = process.env.LEVER_CHROMIUM ?? '/usr/bin/chromium';
/** Longest that anything may be waited for on a page, in milliseconds. */
const PATIENCE_MS = 10_000;

export const launch = () =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--disable-gpu', '--disable-dev-shm-usage'] });

/** Somebody in front of a browser. */
export class Person {
  /** What the browser complained about. */
  complaints = [];
  /** Where its requests went that did not go to the console. */
  strayed = [];

  /**
   * Sits down, signed in when a `token` is given. `options` are those of a browser context, such as
   * `javaScriptEnabled`, `colorScheme` and `viewport`.
   */
  static async sit(browser, lever, { token, at = lever.url, ...options } = {}) {
    const person = new Person();
    person.context = await browser.newContext({ baseURL: at, ...options });
    person.context.setDefaultTimeout(PATIENCE_MS);
    person.origin = new URL(at).origin;
    await person.context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
      });
    });
    person.page = await person.tab();
    if (token) await person.signIn(token);
    return person;
  }

  /** One more tab of the same session. */
  async tab() {
    const page = await this.context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        this.complaints.push(`${page.url()}: ${message.text()} ${message.location().url ?? ''}`);
      }
    });
    page.on('pageerror', (error) => this.complaints.push(`${page.url()}: ${error.stack}`));
    page.on('dialog', async (dialog) => {
      this.complaints.push(`${page.url()}: a dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${this.origin}/`) && !url.startsWith('data:')) this.strayed.push(url);
    });
    return page;
  }

  async signIn(token) {
    await this.page.goto(`/sign-in?next=${encodeURIComponent('/fleet?env=prod')}`);
    await this.page.getByRole('textbox', { name: 'Token' }).fill(token);
    await this.page.getByRole('button', { name: /sign in/i }).click();
    await this.page.waitForURL((url) => url.pathname !== '/sign-in');
  }

  /**
   * Gets up, and tells of anything that was not as it should be. `strayed` are sites of the test's own,
   * `expected` parts of complaints that belong to it.
   */
  async leave({ strayed = [], expected = [] } = {}) {
    await this.context.close();
    const isNew = (text) => !expected.some((part) => text.includes(part));
    assert.deepEqual(this.complaints.filter(isNew), [], 'the browser had something to complain about');
    const elsewhere = this.strayed.filter((url) => !strayed.some((own) => url.startsWith(own)));
    assert.deepEqual(elsewhere, [], 'a page asked somebody else for something');
  }
}
