// A Node service with the OpenFeature server SDK, asking over OFREP at every evaluation.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { ErrorCode, OpenFeature, StandardResolutionReasons as Reason } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';

import { Shop } from './shop.js';

const ANA = { targetingKey: 'ana', plan: 'free' };

describe('@openfeature/server-sdk over OFREP', { timeout: 120_000 }, () => {
  let shop;
  let client;

  before(async () => {
    shop = await Shop.open();
    const headers = [['Authorization', `Bearer ${await shop.token('evaluator')}`]];
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: shop.url, headers }));
    client = OpenFeature.getClient();
  });

  after(async () => {
    await OpenFeature.close();
    await shop?.close();
  });

  it('gets a boolean with variant, reason and revision', async () => {
    const details = await client.getBooleanDetails('new-checkout', false, ANA);
    assert.equal(details.value, true);
    assert.equal(details.variant, 'on');
    assert.equal(details.errorCode, undefined);
    assert.equal(details.reason, Reason.STATIC);
    assert.ok(details.flagMetadata.revision > 0, JSON.stringify(details.flagMetadata));
  });

  it('gets a string, an integer, a float and an object', async () => {
    assert.equal(await client.getStringValue('theme', 'unset', ANA), 'night');
    assert.equal(await client.getNumberValue('img-quality', -1, ANA), 70);
    assert.equal(await client.getNumberValue('timeout-s', -1, ANA), 10);
    const sale = { text: 'Sale', until: { day: 31 } };
    assert.deepEqual(await client.getObjectValue('banner', { unset: true }, ANA), sale);
  });

  it('gets the rule of the context', async () => {
    const beta = await client.getBooleanDetails('beta-only', false, { ...ANA, plan: 'beta' });
    assert.equal(beta.value, true);
    assert.equal(beta.reason, Reason.TARGETING_MATCH);
    assert.equal(await client.getBooleanValue('beta-only', true, ANA), false);
  });

  it('gets the closed value and not its own default from a closed flag', async () => {
    const details = await client.getBooleanDetails('old-search', true, ANA);
    assert.equal(details.value, false);
    assert.equal(details.variant, 'off');
    assert.equal(details.reason, Reason.DISABLED);
    assert.equal(details.errorCode, undefined);
  });

  it('gets the closed value and not its own default where a bucket needs a unit and has none', async () => {
    const details = await client.getBooleanDetails('half', true, {});
    assert.equal(details.value, false);
    assert.equal(details.reason, Reason.DEFAULT);
    assert.equal(details.errorCode, undefined);
  });

  it('keeps its own default for an unknown flag', async () => {
    const details = await client.getStringDetails('no-such-flag', 'mine', ANA);
    assert.equal(details.value, 'mine');
    assert.equal(details.errorCode, ErrorCode.FLAG_NOT_FOUND);
  });

  it('keeps its own default for a flag of another type', async () => {
    const details = await client.getStringDetails('new-checkout', 'mine', ANA);
    assert.equal(details.value, 'mine');
    assert.equal(details.errorCode, ErrorCode.TYPE_MISMATCH);
  });

  it('sees a kill at its next evaluation, and the opening after it', async () => {
    assert.equal(await client.getBooleanValue('new-checkout', false, ANA), true);
    const { revision } = await shop.lever('kill', 'new-checkout', '-e', 'prod', '-r', 'e2e');
    const killed = await client.getBooleanDetails('new-checkout', true, ANA);
    assert.equal(killed.value, false);
    assert.equal(killed.reason, Reason.DISABLED);
    assert.ok(killed.flagMetadata.revision >= revision);
    await shop.lever('open', 'new-checkout', '-e', 'prod', '--to', '100%', '-r', 'e2e');
    assert.equal(await client.getBooleanValue('new-checkout', false, ANA), true);
  });

  it('keeps its own default without a valid token', async () => {
    const headers = [['Authorization', 'Bearer lever_nobody']];
    await OpenFeature.setProviderAndWait('stranger', new OFREPProvider({ baseUrl: shop.url, headers }));
    const stranger = OpenFeature.getClient('stranger');
    const details = await stranger.getBooleanDetails('new-checkout', false, ANA);
    assert.equal(details.value, false);
    assert.equal(details.errorCode, ErrorCode.GENERAL);
  });
});
