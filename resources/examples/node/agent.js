// Makes a Node program an agent that Murmurscope shows: status with a will, figures, logs through winston, connection
// attempts, messages, tasks. One file, needs Node 18 and two packages: npm install mqtt winston
//
//   const { Agent } = require('./agent');
//   const agent = new Agent('mqtt://localhost', 'crawler-7', { group: 'crawlers' });
//   const logger = winston.createLogger({ transports: [agent.transport()] });
//   agent.task('crawl', async (task) => crawl(task.input, { signal: task.signal }));
//   agent.metrics({ 'agent.request.duration': 0.21, pages: 3 });
//   await agent.close();
//
// It says online when it connects and again every intervalS, stopped when it is closed; when the program dies or the
// network is gone, the broker says offline for it. It comes back by itself. What is sent meanwhile waits with its own time
// in a bounded queue; what does not fit is counted in `dropped`. Figures use base units (seconds, bytes, ratios 0 to 1).
// Run it by itself to see it: node agent.js mqtt://localhost
'use strict';

const { randomBytes, randomUUID } = require('node:crypto');
const os = require('node:os');
const { inspect } = require('node:util');
const mqtt = require('mqtt');
const winston = require('winston');

const STATES = ['online', 'degraded', 'asleep', 'starting', 'offline', 'stopped'];
const TASK_ENDS = ['completed', 'failed', 'canceled', 'rejected'];
const GOODBYE_LIMIT_MS = 3000;

class Agent {
  /** `id`: one level of a topic, unique on the broker. `options`: name, group, version, capabilities and those below;
   *  all others go to `mqtt.connect` (username, password, ca, …). */
  constructor(url, id, options = {}) {
    const { name = id, group, version, capabilities, intervalS = 10, ...rest } = options;
    const { prefix = 'agents', queueLimit = 1000, ...connecting } = rest;
    if (!id || /[/+#\0]/.test(id)) throw new Error(`${JSON.stringify(id)} cannot be one level of a topic`);
    this.id = id;
    this.dropped = 0;
    this.failure = null; // why there is no connection
    this.onMessage = null; // called with {sender, id, type, body, replyTo} for what is no task
    this.prefix = prefix;
    this.base = `${prefix}/${id}`;
    this.boot = randomBytes(6).toString('hex');
    this.numbers = new Map(); // topic -> next number
    this.waiting = 0; // sent and not answered
    this.queueLimit = queueLimit;
    this.handlers = new Map(); // type -> handler
    this.tasks = new Map(); // those that have not ended
    this.work = Promise.resolve(); // tasks are done one after the other
    this.card = { name, group, interval_s: intervalS, capabilities, version, host: os.hostname() };
    this.state = 'online';
    // the client id stays the same, so that after a crash the broker says the old will before the new agent says online
    const will = { topic: `${this.base}/status`, payload: json({ ...this.card, state: 'offline' }), qos: 1, retain: true };
    this.client = mqtt.connect(url, { ...connecting, clientId: `${prefix}-${id}`, keepalive: 15, will });
    this.client.on('connect', () => {
      this.failure = null;
      this.status(this.state);
    });
    this.client.on('error', (error) => { this.failure = error; });
    this.client.on('message', (topic, payload) => this.receive(topic, payload));
    this.client.subscribe(`${this.base}/inbox/+`, { qos: 1 });
    this.beat = setInterval(() => this.client.connected && this.status(this.state), intervalS * 1000);
    this.beat.unref();
  }

  /** One of online, degraded, asleep, starting, offline, stopped; told now and again every `intervalS`. */
  status(state) {
    if (!STATES.includes(state)) throw new Error(`${state} is none of ${STATES.join(', ')}`);
    this.state = state;
    return this.client.connected ? this.send('status', { ...this.card, state }, true) : null;
  }

  /** Numbers by name, in base units. What is no finite number is left out. */
  metrics(values) {
    const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    if (finite.length) this.send('metrics', { metrics: Object.fromEntries(finite) });
  }

  /** A winston transport: each record goes out as the logger's format made it. */
  transport(options) {
    const agent = this;
    return new (class extends winston.Transport {
      log(info, done) {
        agent.publish(`${agent.base}/log`, info[Symbol.for('message')] ?? json(info));
        done();
      }
    })(options);
  }

  /** An attempt to connect to something: outcome ok, error, timeout or refused. */
  connection(target, outcome, { error, durationS } = {}) {
    this.send('connection', { target, outcome, error, duration_s: durationS });
  }

  /** The state of a task; `more`: type, parent, requester, attempt, progress (0 to 1), result, error. */
  report(task, state, more = {}) {
    this.send('task', { ...more, task, state });
  }

  /** Send a message to another agent; returns its id. */
  say(to, body, { type = 'message', replyTo } = {}) {
    const id = randomUUID();
    this.send(null, { id, type, body, reply_to: replyTo }, false, `${this.prefix}/${to}/inbox/${this.id}`);
    return id;
  }

  /** Answer a message of another agent. */
  reply(message, body, type = 'reply') {
    return this.say(message.sender, body, { type, replyTo: message.id || undefined });
  }

  /** Call `handler` for each task of this type; what it returns is the result, what it throws the failure. It gets
   *  {id, type, input, deadline, requester, signal, progress(share)}; `signal` is aborted when somebody asks to stop. */
  task(type, handler) {
    this.handlers.set(type, handler);
  }

  /** Say goodbye and disconnect; open tasks fail. What still waits gets up to 3 s. */
  async close(state = 'stopped') {
    if (this.client.disconnecting) return;
    clearInterval(this.beat);
    for (const task of [...this.tasks.values()]) {
      task.abort();
      task.tell('failed', { error: 'the agent stopped' });
    }
    const limit = new Promise((resolve) => { setTimeout(resolve, GOODBYE_LIMIT_MS).unref(); });
    const goodbye = this.status(state);
    await Promise.race([goodbye, limit]);
    await Promise.race([this.client.endAsync(!goodbye), limit]);
  }

  // ---- inside

  send(role, told, retain = false, topic = `${this.base}/${role}`) {
    const seq = this.numbers.get(topic) ?? 0;
    this.numbers.set(topic, seq + 1); // also of what is dropped: so a gap shows
    return this.publish(topic, json({ ...told, ts: Date.now() / 1000, boot: this.boot, seq }), retain);
  }

  /** Publish at QoS 1; the status always finds room. */
  async publish(topic, payload, retain = false) {
    if (this.client.disconnecting || (!retain && this.waiting >= this.queueLimit)) {
      this.dropped += 1;
      return;
    }
    this.waiting += 1;
    try {
      await this.client.publishAsync(topic, payload, { qos: 1, retain });
    } catch (error) {
      this.failure = error; // the connection was ended before the broker answered
    }
    this.waiting -= 1;
  }

  receive(topic, payload) {
    try {
      const { id = '', type = '', body, reply_to: replyTo = '' } = JSON.parse(payload.toString());
      const message = { sender: topic.split('/').pop(), id, type, body, replyTo };
      if (this.handlers.size && message.type === 'task') this.take(message);
      else if (this.handlers.size && message.type === 'cancel') this.cancel(message);
      else if (this.onMessage) this.onMessage(message);
    } catch (error) {
      this.fault('a message could not be handled', error);
    }
  }

  take(message) {
    const { task: id, type, input, deadline, parent, attempt } = message.body;
    if (!id) throw new Error('a task without a name');
    if (this.tasks.has(id)) return; // it came twice
    const stop = new AbortController();
    const task = { id, type, input, deadline, requester: message.sender, signal: stop.signal, state: '' };
    task.abort = () => stop.abort();
    task.progress = (share) => task.tell('working', { progress: share });
    task.tell = (state, more) => {
      if (TASK_ENDS.includes(task.state)) return false; // after its end nothing more is told
      task.state = state;
      this.report(id, state, { type, parent, attempt, requester: task.requester, ...more });
      if (TASK_ENDS.includes(state)) {
        this.tasks.delete(id);
        this.reply(message, { task: id, state, ...more }, 'result');
      }
      return true;
    };
    if (!this.handlers.has(type)) {
      task.tell('rejected', { error: `no handler for tasks of type ${type}` });
    } else if (this.tasks.size >= this.queueLimit) {
      task.tell('rejected', { error: 'too many tasks wait' });
    } else {
      this.tasks.set(id, task);
      task.tell('submitted');
      this.work = this.work.then(() => this.run(task));
    }
  }

  async run(task) {
    if (!task.tell('working')) return; // cancelled while it waited
    try {
      const result = await this.handlers.get(task.type)(task);
      if (result === undefined && task.signal.aborted) task.tell('canceled');
      else task.tell('completed', { result });
    } catch (error) {
      this.fault(`task ${task.id} failed`, error, { task: task.id });
      task.tell('failed', { error: String(error) });
    }
  }

  cancel(message) {
    const task = this.tasks.get(message.body.task);
    if (task) {
      task.abort();
      if (task.state === 'submitted') task.tell('canceled');
    } else {
      const told = { task: message.body.task, requester: message.sender };
      this.send('log', { level: 'warn', message: 'asked to cancel a task that is not open here', ...told });
    }
  }

  fault(message, error, more = {}) {
    this.send('log', { ...more, level: 'error', message, error: String(error), stack: error?.stack });
  }
}

function json(told) {
  try {
    return JSON.stringify(told);
  } catch { // a circle, a BigInt
    const plain = ([key, value]) => [key, ['object', 'bigint'].includes(typeof value) ? inspect(value) : value];
    return JSON.stringify(Object.fromEntries(Object.entries(told).map(plain)));
  }
}

module.exports = { Agent };

// ---- by itself: tells its own figures once a second, and adds up numbers for whoever asks

if (require.main === module) {
  const [url = 'mqtt://localhost', id = `node-${process.pid}`] = process.argv.slice(2);
  const agent = new Agent(url, id, { group: 'examples', capabilities: ['sum'] });
  const { combine, errors, timestamp, json } = winston.format;
  const logger = winston.createLogger({
    format: combine(errors({ stack: true }), timestamp(), json()),
    transports: [agent.transport(), new winston.transports.Console()],
  });
  const target = new URL(url).host; // without a password
  const began = performance.now();
  const tried = (outcome, error) => {
    agent.connection(target, outcome, { error, durationS: (performance.now() - began) / 1000 });
  };
  agent.client.once('connect', () => {
    tried('ok');
    logger.info('connected', { broker: target });
  });
  agent.client.once('error', (error) => tried('error', String(error)));
  agent.task('sum', (task) => {
    logger.info('adding up', { task: task.id, numbers: task.input.length });
    return task.input.reduce((sum, number) => sum + number, 0);
  });
  let before = process.cpuUsage();
  setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    agent.metrics({
      'process.cpu.utilization': (user + system) / 1e6 / os.cpus().length,
      'process.memory.usage': process.memoryUsage.rss(),
      'process.uptime': process.uptime(),
    });
  }, 1000);
  const end = async (state) => {
    await agent.close(state);
    process.exit(state === 'stopped' ? 0 : 1);
  };
  process.once('SIGINT', () => end('stopped')).once('SIGTERM', () => end('stopped'));
  process.once('uncaughtException', (error) => {
    agent.fault('the program ends', error);
    end('offline');
  });
}
