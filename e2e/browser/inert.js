// Texts that people and programs wrote stay texts on every page.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MARK, TEXTS, write } from './bad_texts.js';
import { Person } from './browser.js';
import { Evaluators } from './evaluators.js';
import { Lever } from './lever.js';
import { places } from './places.js';

export function inert(bench) {
  describe('bad texts', () => {
    it('are inert on every page, wherever they were written', async () => {
      const lever = await Lever.serve();
      const evaluators = await Evaluators.of(lever);
      try {
        const { flags, taken } = await write(lever);
        for (const field of ['description', 'runbook', 'closing', 'reasons', 'incidents', 'values']) {
          assert.ok(taken[field]?.includes('markup'), `markup was offered to ${field} and taken`);
        }
        const text = TEXTS.longest;
        await evaluators.one(flags[0], { application: text, build: text });
        const why = { reason: text };
        const { rollout } = await lever.post(
          `/environments/staging/flags/${flags[0]}/rollout`,
          { plan: 'safe', undeclared_too: true, why },
        );
        const { revision } = await lever.kill(flags, { reason: TEXTS.markup, incident: text });
        const person = await Person.sit(bench.browser, lever, { token: lever.token });
        const addresses = [
          [`/rollouts/${rollout}?env=staging`],
          [`/rollouts?env=staging`],
          [`/audit/${revision}?env=prod`],
          [`/kill/${flags[0]}?env=prod&r=${revision}&inc=${encodeURIComponent(TEXTS.markup)}`],
          [`/flags?env=prod&q=${encodeURIComponent(TEXTS.markup)}&owner=${encodeURIComponent(text)}`],
          [`/audit?env=prod&actor=${encodeURIComponent(TEXTS.markup)}`],
          ...flags.flatMap((flag) => [
            [`/flags/${flag}?env=prod`],
            [`/flags/${flag}/edit?env=prod`],
            [`/flags/${flag}/rules?env=prod`],
            [`/flags/${flag}-text?env=prod`],
            [`/kill/${flag}?env=prod`],
          ]),
          ...places({ flag: flags[0], segment: 'bad-1-segment', revision }).map(([, path]) => [path]),
        ];
        const found = [];
        for (const [address] of addresses) {
          const answer = await person.page.goto(address);
          // A segment that was refused is not there; nothing else may be missing or fail.
          if (answer.status() >= 400) found.push(`${address}: ${answer.status()}`);
          for (const what of await person.page.evaluate(strange, MARK)) found.push(`${address}: ${what}`);
        }
        assert.deepEqual(found, []);
        await person.leave();
      } finally {
        await evaluators.close();
        await lever.close();
      }
    });
  });
}

/** What is on a page that no text may make. Runs in the page. */
function strange(mark) {
  const found = [];
  const scripts = [...document.scripts].filter((one) => !new URL(one.src || 'x:').pathname.startsWith('/assets/'));
  for (const one of scripts) found.push(`a script: ${one.outerHTML.slice(0, 80)}`);
  for (const one of document.querySelectorAll('*')) {
    if (one.hasAttribute(mark)) found.push(`an element of a text: ${one.outerHTML.slice(0, 80)}`);
    for (const { name, value } of one.attributes) {
      if (name.startsWith('on')) found.push(`${one.tagName} has ${name}`);
      if (['href', 'src', 'action', 'formaction'].includes(name) && /^\s*(javascript|data|vbscript):/i.test(value)) {
        found.push(`${one.tagName} has ${name}=${value.slice(0, 60)}`);
      }
    }
  }
  const forms = [...document.forms].filter((form) => new URL(form.action).origin !== location.origin);
  for (const form of forms) found.push(`a form that goes to ${form.action}`);
  for (const one of document.querySelectorAll('iframe, object, embed, base')) found.push(`an ${one.tagName}`);
  return found;
}
