import { Lever, eventually } from './lever.js';
import { launch, Person } from './browser.js';
import { Evaluators } from './evaluators.js';
import { proxy } from './elsewhere.js';
import { look } from './looks.js';
const lever=await Lever.serve(); const b=await launch(); const ev=await Evaluators.of(lever);
try {
await lever.flag('told');
await ev.crowd(5); const deaf=await ev.one('told',{application:'mailer',build:'b-41'}); deaf.pause();
await lever.open('told',100);
const p=await Person.sit(b,lever,{extraHTTPHeaders:{authorization:'Bearer '+lever.token}}); const page=p.page;
console.log((await look(page,'fleet','/fleet?env=prod','/tmp/browser-out')).join('\n'));
await page.setViewportSize({width:1440,height:900});
await page.getByText(/^live · /).waitFor(); console.log(await page.innerText('main'));
await lever.open('told',50); 
deaf.resume();
await page.waitForTimeout(1500); await page.screenshot({path:'/tmp/x.png'});
lever.pause(); console.time('stale'); await page.getByText(/^stale \d+ s, reconnecting/).waitFor({timeout:20000}); console.timeEnd('stale'); lever.resume();
console.time('live'); await page.getByText(/^live · /).waitFor({timeout:20000});console.timeEnd('live');
const way=await proxy(lever,{holds:true});
const q=await Person.sit(b,lever,{at:way.url,extraHTTPHeaders:{authorization:'Bearer '+lever.token}});
console.time('poll'); await q.page.goto('/fleet?env=prod'); await q.page.getByText(/^polling · /).waitFor({timeout:60000}); console.timeEnd('poll');
await q.leave(); await way.close();
await p.leave();
} finally { await b.close(); await ev.close(); await lever.close(); }
