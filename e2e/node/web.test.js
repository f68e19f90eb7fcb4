// A web page with the OpenFeature web SDK: it keeps all its flags and hears of changes by SSE. It
// never polls here, so what it sees after its start came through a notice.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { ErrorCode, OpenFeature, ProviderEvents, StandardResolutionReasons as Reason } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { EventSource } from 'eventsource';

import { Shop } from './shop.js';

/** A kill is fetched this soon after the command that made it was started, in milliseconds. */
const SEEN_MS_MAX = 3_000;
/** EventSource tries again after 3 s, the provider 1 s after that was refused; with room. */
const CAUGHT_UP_MS_MAX = 20_000;
/** Any notice comes this soon, the spread of openings included, in milliseconds. */
const HEARD_MS_MAX = 10_000;
const ANA = { targetingKey: 'ana', plan: 'free' };

describe('@openfeature/web-sdk over OFREP with SSE', { timeout: 120_000 }, () => {
  let shop;
  let client;

  before(async () => {
    // Node has none; the provider looks for the browser's.
    globalThis.EventSource = EventSource;
    shop = await Shop.open();
    const headers = [['Authorization', `Bearer ${await shop.token('client-evaluator')}`]];
    await OpenFeature.setContext(ANA);
    const provider = new OFREPWebProvider({ baseUrl: shop.url, headers, cacheMode: 'disabled' });
    await OpenFeature.setProviderAndWait(provider);
    client = OpenFeature.getClient();
  });

  after(async () => {
    await OpenFeature.close();
    await shop?.close();
  });

  /** Settles when the provider has fetched a change of `flag`. */
  function changed(flag) {
    const heard = new Promise((resolve) => {
      const hear = (event) => {
        if (!event?.flagsChanged?.includes(flag)) return;
        client.removeHandler(ProviderEvents.ConfigurationChanged, hear);
        resolve();
      };
      client.addHandler(ProviderEvents.ConfigurationChanged, hear);
    });
    const late = setTimeout(HEARD_MS_MAX, undefined, { ref: false }).then(() => {
      throw new Error(`no change of ${flag} was heard`);
    });
    return Promise.race([heard, late]);
  }

  it('has a boolean, a string, an integer, a float and an object', () => {
    const details = client.getBooleanDetails('new-checkout', false);
    assert.equal(details.value, true);
    assert.equal(details.variant, 'on');
    assert.equal(details.reason, Reason.STATIC);
    assert.equal(client.getStringValue('theme', 'unset'), 'night');
    assert.equal(client.getNumberValue('img-quality', -1), 70);
    assert.equal(client.getNumberValue('timeout-s', -1), 10);
    const sale = { text: 'Sale', until: { day: 31 } };
    assert.deepEqual(client.getObjectValue('banner', { unset: true }), sale);
  });

  it('has the closed value and not its own default of a closed flag', () => {
    const details = client.getBooleanDetails('old-search', true);
    assert.equal(details.value, false);
    assert.equal(details.reason, Reason.DISABLED);
    assert.equal(details.errorCode, undefined);
  });

  it('keeps its own default for an unknown flag and for one that clients may not see', () => {
    for (const flag of ['no-such-flag', 'server-only']) {
      const details = client.getBooleanDetails(flag, false);
      assert.equal(details.value, false);
      assert.equal(details.errorCode, ErrorCode.FLAG_NOT_FOUND, flag);
    }
  });

  it('keeps its own default for a flag of another type', () => {
    const details = client.getStringDetails('new-checkout', 'mine');
    assert.equal(details.value, 'mine');
    assert.equal(details.errorCode, ErrorCode.TYPE_MISMATCH);
  });

  it('gets new answers when an attribute changes and the targeting key does not', async () => {
    assert.equal(client.getBooleanValue('beta-only', true), false);
    await OpenFeature.setContext({ ...ANA, plan: 'beta' });
    assert.equal(client.getBooleanValue('beta-only', false), true);
    await OpenFeature.setContext(ANA);
    assert.equal(client.getBooleanValue('beta-only', true), false);
  });

  it('sees a kill through the notice, without polling', async (t) => {
    assert.equal(client.getBooleanValue('new-checkout', false), true);
    const heard = changed('new-checkout');
    const started = performance.now();
    const stored = shop.lever('kill', 'new-checkout', '-e', 'prod', '-r', 'e2e');
    await heard;
    const took = performance.now() - started;
    assert.equal(client.getBooleanValue('new-checkout', true), false);
    assert.equal(client.getBooleanDetails('new-checkout', true).reason, Reason.DISABLED);
    t.diagnostic(`from starting the command to the fetched change: ${took.toFixed(0)} ms`);
    assert.ok(took < SEEN_MS_MAX, `${took} ms`);
    await stored;
  });

  it('sees an opening through the notice too', async () => {
    const heard = changed('old-search');
    await shop.lever('open', 'old-search', '-e', 'prod', '--to', '100%', '-r', 'e2e');
    await heard;
    assert.equal(client.getBooleanValue('old-search', false), true);
  });

  it('catches up after the server has crashed, and hears notices again', async () => {
    // The ticket of its stream died with the server. It has to be given a new one, although nothing
    // that it asks for has changed, and a 304 could not carry it.
    await shop.crash();
    await shop.lever('kill', 'banner', '-e', 'prod', '-r', 'e2e');
    // This provider tells nobody when it catches up, so its answer is watched.
    const deadline = performance.now() + CAUGHT_UP_MS_MAX;
    while (client.getObjectDetails('banner', {}).variant !== 'none') {
      assert.ok(performance.now() < deadline, 'the kill was not caught up with');
      await setTimeout(50);
    }
    const heard = changed('img-quality');
    await shop.lever('kill', 'img-quality', '-e', 'prod', '-r', 'e2e');
    await heard;
    assert.equal(client.getNumberValue('img-quality', -1), 40);
  });

  it('is counted among the caches, by what it fetched', async () => {
    const killed = await shop.lever('kill', 'theme', '-e', 'prod', '-r', 'e2e');
    const { caches } = killed.confirmation;
    assert.ok(caches.seen >= 1, JSON.stringify(killed.confirmation));
    assert.equal(killed.confirmation.state, 'nobody', 'a cache is never called confirmed');
  });
});
