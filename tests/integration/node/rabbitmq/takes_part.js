// The same two functions with one line changed in each: node takes_part.js amqp://localhost report|reply
'use strict';

const amqp = require('amqplib');

const [url, how] = process.argv.slice(2);

async function send(key, message) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  channel.publish('amq.topic', key, Buffer.from(JSON.stringify(message))); // instead of sendToQueue
  await channel.close();
  await connection.close();
}

async function receive(queue, onMessage) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue);
  await channel.bindQueue(queue, 'amq.topic', `agents.${queue}.inbox.*`); // beside what is sent to the queue
  await channel.consume(queue, (message) => {
    if (message === null) return;
    onMessage(JSON.parse(message.content.toString()), message.fields.routingKey.split('.').pop());
    channel.ack(message);
  });
}

receive('adder-3', ({ id, type, body }, sender) => {
  if (type !== 'task') return;
  const sum = body.input.reduce((total, one) => total + one, 0);
  if (how === 'report') send('agents.adder-3.task', { task: body.task, state: 'completed', result: sum });
  else send(`agents.${sender}.inbox.adder-3`, { reply_to: id, body: sum });
}).then(() => console.log('ready'));
