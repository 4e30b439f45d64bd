// Makes a Node program an agent that Murmurscope shows: status with a will, figures, logs through winston, connection
// attempts, messages, tasks. One file, needs Node 18 and two packages: npm install mqtt winston
//
//   const { Agent } = require('./agent');
//   const agent = new Agent('mqtt://localhost', 'crawler-7', { group: 'crawlers' });
//   const logger = winston.createLogger({ transports: [agent.transport()] });
//   agent.task('crawl', async (task) => crawl(task.input, { signal: task.signal })); // what others ask for
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
const REMEMBERED = 10000; // ends of tasks

/** Work that another agent asked for. What its handler returns is its result, what it throws its failure; `done` and `fail`
 *  end it earlier. After its end nothing more is told. While it is at work, that is told every `intervalS`. */
class Task {
  constructor(agent, message) {
    const { task, type = '', input, deadline, parent, attempt } = message.body;
    if (!task) throw new Error('a task without a name');
    this.id = String(task);
    Object.assign(this, { type, input, deadline, requester: message.sender, attempt: attempt ?? 1, state: '' });
    this.stopping = new AbortController();
    this.signal = this.stopping.signal; // aborted when somebody asks to stop: return undefined then
    this.inside = { agent, message, card: { type, parent, attempt }, share: undefined, answer: null, told: {} };
  }

  progress(share) { // 0 to 1
    this.inside.share = share;
    return this.tell('working', { progress: share });
  }

  /** Say that input is required, and wait for it. Rejected when nobody answers in time; undefined where it is cancelled
   *  meanwhile. */
  ask(question, timeoutS) {
    this.tell('input-required', { result: question });
    return new Promise((resolve, reject) => {
      const late = timeoutS === undefined ? null : setTimeout(() => {
        this.inside.answer = null;
        reject(new Error('nobody answered'));
      }, timeoutS * 1000);
      this.inside.answer = (input) => {
        clearTimeout(late);
        this.inside.answer = null;
        this.beat('input-required');
        resolve(input);
      };
    });
  }

  /** Still at it. */
  beat(state = 'working') {
    if (this.state === state) this.tell('working', { progress: this.inside.share });
  }

  done(result) {
    return this.tell('completed', { result });
  }

  fail(error) {
    return this.tell('failed', { error: String(error) });
  }

  /** Report a state; an end is also answered to who asked. False: it has ended before. */
  tell(state, more = {}) {
    if (TASK_ENDS.includes(this.state)) return false;
    const { agent, message, card } = this.inside;
    this.state = state;
    this.inside.told = more;
    agent.report(this.id, state, { ...card, requester: this.requester, ...more });
    if (TASK_ENDS.includes(state)) {
      agent.remember(this, state, more);
      agent.reply(message, { task: this.id, state, ...more }, 'result');
    }
    return true;
  }

  /** Tell once more how it stands. */
  again() {
    return this.tell(this.state, this.inside.told);
  }

  /** A later attempt of what is at work already: it is that from now on. */
  adopt({ attempt, inside: { message } }) {
    if (!(attempt > this.attempt)) return;
    this.attempt = attempt;
    this.inside.message = message;
    this.inside.card.attempt = attempt;
    this.again();
  }

  /** Somebody asked to: the handler sees it, and whoever waits for an answer waits no longer. */
  stop() {
    this.stopping.abort();
    if (this.inside.answer) this.inside.answer(undefined);
    if (this.state === 'submitted') this.tell('canceled');
  }
}

class Agent {
  /** `id`: one level of a topic, unique on the broker. `options`: name, group, version, capabilities and those below;
   *  all others go to `mqtt.connect` (username, password, ca, …). */
  constructor(url, id, options = {}) {
    const { name = id, group, version, capabilities, intervalS = 10, ...rest } = options;
    const { prefix = 'agents', queueLimit = 1000, workers = 1, ...connecting } = rest; // workers: tasks at a time
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
    this.commands = new Map(); // name -> handler
    this.asked = new Map(); // id -> who waits for its answer
    this.tasks = new Map(); // those that have not ended
    this.ended = new Map(); // what came of the others: asked for again, they are not done again
    this.submitted = []; // tasks that wait for a worker
    this.workers = workers;
    this.busy = 0;
    this.paused = false;
    this.drained = false;
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
    this.beat = setInterval(() => {
      if (!this.client.connected) return;
      this.status(this.state);
      for (const task of this.tasks.values()) task.beat();
    }, intervalS * 1000);
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
  say(to, body, { type = 'message', replyTo, id = randomUUID() } = {}) {
    this.send(null, { id, type, body, reply_to: replyTo }, false, `${this.prefix}/${to}/inbox/${this.id}`);
    return id;
  }

  /** Answer a message of another agent. */
  reply(message, body, type = 'reply') {
    return this.say(message.sender, body, { type, replyTo: message.id || undefined });
  }

  /** Send a message and wait for its answer, a message. Rejected when none comes in time. */
  async ask(to, body, { type = 'request', timeoutS = 30 } = {}) {
    const id = randomUUID();
    let late;
    try {
      return await new Promise((resolve, reject) => {
        this.asked.set(id, resolve);
        late = setTimeout(() => reject(new Error(`${to} did not answer within ${timeoutS} s`)), timeoutS * 1000);
        this.say(to, body, { type, id });
      });
    } finally {
      clearTimeout(late);
      this.asked.delete(id);
    }
  }

  /** Call `handler` with each `Task` of this type, `workers` of them at a time. The type becomes a capability. Of types without
   *  a handler tasks are rejected once there is one. One that comes a second time is not done a second time: what came of it is
   *  told again. The capability `inquiry` says so. */
  task(type, handler) {
    this.handlers.set(type, handler);
    this.card.capabilities = [...new Set([...(this.card.capabilities ?? []), type, 'inquiry'])];
    this.status(this.state);
  }

  /** Call `handler` with the arguments when somebody gives this command; what it returns is the answer. Known without are ping,
   *  pause and resume (no task begins meanwhile), and drain (what is here is finished, nothing more is taken). */
  command(name, handler) {
    this.commands.set(name, handler);
  }

  /** Say goodbye and disconnect; open tasks fail. What still waits gets up to 3 s. */
  async close(state = 'stopped') {
    if (this.client.disconnecting) return;
    clearInterval(this.beat);
    for (const task of [...this.tasks.values()]) {
      task.stopping.abort();
      task.fail('the agent stopped');
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
      const waits = this.asked.get(replyTo);
      if (waits) waits(message);
      else if (this.handlers.size && type === 'task') this.take(message);
      else if (this.handlers.size && type === 'inquiry') this.sayHow(message);
      else if (this.handlers.size && ['cancel', 'input'].includes(type)) this.tellTask(message);
      else if (this.handlers.size + this.commands.size && type === 'command') this.obey(message);
      else if (this.onMessage) this.onMessage(message);
    } catch (error) {
      this.fault('a message could not be handled', error);
    }
  }

  take(message) {
    const task = new Task(this, message);
    if (this.tasks.has(task.id)) { // it came twice, or another attempt while this one is at work
      this.tasks.get(task.id).adopt(task);
      return;
    }
    const end = this.ended.get(`${task.attempt} ${task.id}`);
    if (end) {
      task.tell(...end);
    } else if (!this.handlers.has(task.type)) {
      task.tell('rejected', { error: `no handler for tasks of type ${task.type}` });
    } else if (this.drained || this.tasks.size >= this.queueLimit) {
      task.tell('rejected', { error: this.drained ? 'it takes no more' : 'too many tasks wait' });
    } else {
      this.tasks.set(task.id, task);
      task.tell('submitted');
      this.submitted.push(task);
      this.begin();
    }
  }

  /** Somebody asks how a task stands. */
  sayHow(message) {
    const asked = new Task(this, message);
    const task = this.tasks.get(asked.id);
    const end = this.ended.get(`${asked.attempt} ${asked.id}`);
    if (task) task.again();
    else if (end) asked.tell(...end);
    else this.reply(message, { task: asked.id, state: 'unknown' }, 'result');
  }

  begin() {
    while (!this.paused && this.busy < this.workers && this.submitted.length) {
      this.busy += 1;
      this.run(this.submitted.shift()).finally(() => {
        this.busy -= 1;
        this.begin();
      });
    }
  }

  async run(task) {
    if (!task.tell('working')) return; // cancelled while it waited
    try {
      const result = await this.handlers.get(task.type)(task);
      if (result === undefined && task.signal.aborted) task.tell('canceled');
      else task.done(result);
    } catch (error) {
      this.fault(`task ${task.id} failed`, error, { task: task.id });
      task.fail(error);
    }
  }

  remember(task, ...end) {
    this.tasks.delete(task.id);
    this.ended.set(`${task.attempt} ${task.id}`, end);
    if (this.ended.size > REMEMBERED) this.ended.delete(this.ended.keys().next().value); // the oldest
  }

  /** The wish to cancel a task, or an answer to what one asks. */
  tellTask({ type, body, sender }) {
    const task = this.tasks.get(body.task);
    if (task && type === 'cancel') {
      task.stop();
    } else if (task?.inside.answer) {
      task.inside.answer(body.input);
    } else {
      const message = `${type} for a task that is not open here, or asks nothing`;
      this.send('log', { level: 'warn', message, task: body.task, requester: sender });
    }
  }

  async obey(message) {
    let told = { state: 'completed' };
    const { command: name, arguments: given } = message.body;
    if (this.commands.has(name)) {
      try {
        told.result = await this.commands.get(name)(given);
      } catch (error) {
        told = { state: 'failed', error: String(error) };
      }
    } else if (name === 'pause' || name === 'resume') {
      this.paused = name === 'pause';
      this.begin();
    } else if (name === 'drain') {
      this.drained = true;
    } else if (name !== 'ping') {
      told = { state: 'rejected', error: `no handler for the command ${name}` };
    }
    this.reply(message, told, 'result');
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

module.exports = { Agent, Task };

// ---- by itself: tells its own figures once a second, and adds up numbers for whoever asks

if (require.main === module) {
  const [url = 'mqtt://localhost', id = `node-${process.pid}`] = process.argv.slice(2);
  const agent = new Agent(url, id, { group: 'examples' });
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
