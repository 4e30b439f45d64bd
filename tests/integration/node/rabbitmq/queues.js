// Two agents with a queue each that know nothing of Murmurscope: node queues.js amqp://localhost PAGES
'use strict';

const amqp = require('amqplib');

const [url, pages] = process.argv.slice(2);

async function send(queue, message) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue);
  channel.sendToQueue(queue, Buffer.from(JSON.stringify(message)));
  await channel.close();
  await connection.close();
}

async function receive(queue, onMessage) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue);
  await channel.consume(queue, (message) => {
    if (message === null) return;
    onMessage(JSON.parse(message.content.toString()));
    channel.ack(message);
  });
}

(async () => {
  let answers = 0;
  await receive('crawler-2', (told) => send('planner', { from: 'crawler-2', page: told.page, links: 7 * told.page }));
  await receive('planner', () => {
    answers += 1;
    if (answers === Number(pages)) setTimeout(() => process.exit(0), 500); // the acknowledgement goes out
  });
  for (let page = 1; page <= pages; page += 1) await send('crawler-2', { page }); // who sends it is not said
})();
