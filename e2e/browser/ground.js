// What the other tests stand on: that the servers, the evaluators and the browser are the real ones.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { EVALUATORS } from './bench.js';
import { Person } from './browser.js';
import { eventually } from './lever.js';

export function ground(bench) {
  describe('the ground', () => {
    it('is a server whose evaluators confirm a kill', async () => {
      const { lever } = bench;
      await lever.flag('ground');
      await lever.open('ground', 100);
      const { revision } = await lever.kill('ground', { reason: 'to see it arrive' });
      const confirmed = await lever.get(
        `/environments/prod/confirmations/${revision}?wait_ms=10000`,
      );
      assert.equal(confirmed.state, 'confirmed');
      assert.equal(confirmed.expected, EVALUATORS);
    });

    it('is a browser that reaches it', async () => {
      const { browser, lever } = bench;
      const somebody = await Person.sit(browser, lever);
      const response = await somebody.page.goto('/livez');
      assert.equal(response.status(), 200);
      await somebody.context.close();
    });

    it('is a demo with a rollout under way', async () => {
      const { demo } = bench;
      const rollouts = () => demo.get('/rollouts');
      await eventually('a rollout of the demo', async () => (await rollouts()).rollouts.length > 0, {
        ms: 60_000,
      });
    });
  });
}
