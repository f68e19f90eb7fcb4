// A server of its own for a test file: the real binary, the flags of shop.json, and the command
// line to pull their levers with.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const BINARY = process.env.LEVER_BIN ?? new URL('../../target/debug/lever', import.meta.url).pathname;
const run = promisify(execFile);

export class Shop {
  #server;
  #folder;
  #environment;

  /** Starts the server and makes the flags. */
  static async open() {
    const shop = new Shop();
    shop.#folder = await mkdtemp(join(tmpdir(), 'lever-e2e-'));
    try {
      await shop.#start('127.0.0.1:0');
      const { commands } = JSON.parse(await readFile(new URL('../shop.json', import.meta.url)));
      for (const command of commands) await shop.lever(...command);
    } catch (error) {
      await shop.close();
      throw error;
    }
    return shop;
  }

  async #start(address) {
    // Nothing of the person's own settings or profile gets in, and nothing is left there.
    const { PATH } = process.env;
    this.#environment = { PATH, HOME: this.#folder, NO_COLOR: '1', LEVER_LOG: 'warn' };
    const data = join(this.#folder, 'data');
    const options = ['--data', data, '--listen', address, '--no-profile', '--json'];
    this.#server = spawn(BINARY, ['serve', ...options], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: this.#server.stdout });
    const [line] = await Promise.race([
      once(lines, 'line'),
      once(this.#server, 'exit').then(([code]) => {
        throw new Error(`lever serve ended with ${code} before it was ready`);
      }),
    ]);
    const ready = JSON.parse(line);
    this.url = ready.url;
    const token = (await readFile(ready.admin_token_file, 'utf8')).trim();
    Object.assign(this.#environment, { LEVER_URL: this.url, LEVER_TOKEN: token });
  }

  /** Runs the command line and gives what it answers. */
  async lever(...words) {
    const options = { env: this.#environment, timeout: 30_000 };
    const { stdout } = await run(BINARY, [...words, '--no-input', '-o', 'json'], options);
    return JSON.parse(stdout);
  }

  /** A new token for prod. */
  async token(role) {
    const { token } = await this.lever('token', 'create', `e2e-${role}`, '--role', role, '-e', 'prod');
    return token;
  }

  /** Ends the server without a warning and starts it again in the same place. */
  async crash() {
    await this.#end('SIGKILL');
    await this.#start(new URL(this.url).host);
  }

  async #end(signal) {
    if (!this.#server || this.#server.exitCode !== null || this.#server.signalCode) return;
    const ended = once(this.#server, 'exit');
    this.#server.kill(signal);
    await ended;
  }

  async close() {
    await this.#end('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }
}
