// Sends what no reader can take between good log records.
const mqtt = require('mqtt');

const good = (n) => JSON.stringify({ level: 'info', message: `record ${n}` });
const bad = [
  Buffer.from([0xff, 0xfe, 0x00]), '', '{"level": "info", "mess', '[1, 2]', '{"x": 1}', '{"a":'.repeat(100000), '\u0000\u0001', 'null',
];

mqtt.connectAsync(process.argv[2]).then(async (client) => {
  for (const [n, one] of bad.entries()) {
    await client.publishAsync('agents/messy/log', good(n), { qos: 1 });
    await client.publishAsync('agents/messy/log', one, { qos: 1 });
    await client.publishAsync('agents/messy/metrics', one, { qos: 1 });
    await client.publishAsync('agents/messy/metrics', JSON.stringify({ metrics: { n } }), { qos: 1 });
  }
  await client.endAsync();
});
