// What is not the console: the page of somebody else, from which people come, and a proxy on the way
// that breaks streams.

import { once } from 'node:events';
import { createServer, request } from 'node:http';

/**
 * A page on another site with links, as a pager shows them. It is on `localhost`: to a browser that is
 * another site than 127.0.0.1, where the console is.
 */
export async function otherSite(links) {
  const items = links.map(({ href, text }) => `<li><a href="${href}">${text}</a></li>`).join('');
  const html = `<!doctype html><html lang="en"><title>Pager</title><h1>Pager</h1><ul>${items}</ul>`;
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${server.address().port}/`,
    close: () => closed(server),
  };
}

/** A form on another site that posts to the console with whatever cookies the browser sends along. */
export async function hostileSite(action, fields) {
  const inputs = Object.entries(fields)
    .map(([name, value]) => `<input name="${name}" value="${value}">`)
    .join('');
  const html = `<!doctype html><html lang="en"><title>Prizes</title><form method="post" action="${action}">${inputs}<button>Win</button></form>`;
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${server.address().port}/`,
    close: () => closed(server),
  };
}

/**
 * A proxy before a server. It counts the streams that are open through it; with `holds` it holds them
 * back for ever, as those do that wait for the end of an answer.
 */
export async function proxy(lever, { holds = false } = {}) {
  const { hostname, port } = new URL(lever.url);
  const streams = new Set();
  let polls = 0;
  const server = createServer((asked, response) => {
    const { method, url: path, headers } = asked;
    if (path.startsWith('/live/poll')) polls += 1;
    const forward = request({ hostname, port, method, path, headers }, (answer) => {
      const isStream = answer.headers['content-type']?.startsWith('text/event-stream');
      if (isStream) {
        streams.add(response);
        response.on('close', () => streams.delete(response));
      }
      if (isStream && holds) {
        answer.resume();
        return;
      }
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    forward.on('error', () => response.destroy());
    response.on('close', () => forward.destroy());
    asked.pipe(forward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** How many streams are open. */
    streams: () => streams.size,
    /** How often a page has asked instead. */
    polls: () => polls,
    close: () => closed(server),
  };
}

async function closed(server) {
  const ended = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await ended;
}
