// An agent with handlers for what tasks, questions and commands can do: node works.js mqtt://localhost ID
'use strict';

const [url, id] = process.argv.slice(2);
const { Agent } = require(process.env.AGENT_JS);

const agent = new Agent(url, id, { intervalS: 0.2, workers: 2 });
let done = 0;
agent.task('count', () => { done += 1; return done; });
agent.task('ask', async (task) => ({ told: await task.ask('may I?') }));
agent.task('wait', (task) => new Promise((resolve) => {
  task.progress(0.5);
  task.signal.addEventListener('abort', () => resolve());
}));
agent.task('forward', async (task) => (await agent.ask(task.input, 'how many?', { timeoutS: 20 })).body);
agent.task('vain', () => agent.ask('nobody', 'there?', { timeoutS: 0.01 }));
agent.command('size', (list) => list.length);
process.once('SIGINT', () => agent.close().then(() => process.exit(0)));
