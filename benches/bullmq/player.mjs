// BullMQ, told what to do as cluster/role.rs says: node player.mjs <produce|take> <Redis port> <name>

import { createInterface } from 'node:readline';
import { Queue, Worker } from 'bullmq';

const [role, port] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const NAME = 'bench';
const IDLE_MS = 600;
const PADDING = ' ' + '.'.repeat(192);

// ns since 1970, to the microsecond.
const now = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
const payload = () => ({ payload: now() + PADDING });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line) => process.stdout.write(line + '\n');

const queue = role === 'produce' ? new Queue(NAME, { connection }) : undefined;

async function pace(count, gapMicros) {
  for (let i = 0; i < count; i++) {
    await queue.add('job', payload());
    await sleep(gapMicros / 1000);
  }
  say('paced');
}

async function fill(count, atATime) {
  const began = now();
  const one = async () => {
    for (let i = 0; i < count / atATime; i++) await queue.add('job', payload());
  };
  await Promise.all(Array.from({ length: atATime }, one));
  say(`filled ${began} ${now()}`);
}

async function listen(count) {
  const latencies = [];
  let enough;
  const done = new Promise((resolve) => (enough = resolve));
  const worker = new Worker(
    NAME,
    async (job) => {
      latencies.push(now() - BigInt(job.data.payload.split(' ')[0]));
      if (latencies.length === count) enough();
    },
    { connection, concurrency: 1 },
  );
  await worker.waitUntilReady();
  say('ready');
  await done;
  await worker.close();
  say(`latencies ${latencies.join(' ')}`);
}

// A job counts once BullMQ says that it is completed, which is when Redis has acknowledged it.
async function drain(atATime) {
  let [count, first, last, quiet] = [0, 0n, 0n, performance.now()];
  const worker = new Worker(
    NAME,
    async () => {
      first ||= now();
    },
    { connection, concurrency: atATime },
  );
  worker.on('completed', () => {
    count++;
    last = now();
    quiet = performance.now();
  });
  await worker.waitUntilReady();
  say('ready');
  while (performance.now() - quiet < IDLE_MS) await sleep(50);
  await worker.close();
  say(`drained ${count} ${first} ${last}`);
}

const orders = { pace, fill, listen, drain };
await queue?.waitUntilReady();
say(role);
for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...numbers] = line.split(' ');
  await orders[order](...numbers.map(Number));
}
process.exit(0);
