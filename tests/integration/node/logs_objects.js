// Logs objects instead of texts into two files, as programs do that follow winston's first pages: whose it is, when, what.
const { createLogger, format, transports } = require('winston');

const log = createLogger({
  format: format.json(),
  defaultMeta: { service: 'harvest' },
  transports: [
    new transports.File({ filename: 'logs/failed.log', level: 'error' }),
    new transports.File({ filename: 'logs/all.log' }),
  ],
});
const now = () => new Date().toISOString();

log.info({ agentId: 'picker-3', timestamp: now(), data: { row: 12, fruit: { kind: 'pear', ripe: true } } });
log.info({ agentId: 'picker-4', timestamp: now(), data: 'basket full' });
log.error({ agentId: 'picker-3', timestamp: now(), data: { row: 13 } });
log.error(new Error('fell off the ladder'));
log.end();
