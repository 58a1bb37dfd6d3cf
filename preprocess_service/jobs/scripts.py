"""The changes of a job that must happen whole: Lua, run by Redis.

All take the names of every key they touch, so what they need stands in `store.Keys`.
"""

#: KEYS: job, idempotency, all, queued. ARGV: id, queue size, field pairs. Returns the id of the
#: job that now stands for the key, or nothing where the queue is full.
CREATE = """
local id, size = ARGV[1], tonumber(ARGV[2])
if KEYS[2] ~= '' then
  local known = redis.call('GET', KEYS[2])
  if known then return known end
end
if redis.call('ZCARD', KEYS[4]) >= size then return false end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'status', 'queued')
redis.call('ZADD', KEYS[3], 0, id)
redis.call('ZADD', KEYS[4], 0, id)
if KEYS[2] ~= '' then redis.call('SET', KEYS[2], id) end
return id
"""

#: KEYS: job, channel, expiry, webhooks, dead letters, then one index per status.
#: ARGV: id, statuses that may be left (|a|b|), new status, run that must hold it ('': any), now,
#: expiry ('': not finished), names of the statuses in the order of KEYS (|), field pairs.
#: Returns {1 when it changed, the status before}.
MOVE = """
local id, from, to, run, now, expiry = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local was = redis.call('HGET', KEYS[1], 'status')
if not was then return {0, ''} end
if not string.find(from, '|' .. was .. '|', 1, true) then return {0, was} end
if run ~= '' and redis.call('HGET', KEYS[1], 'run') ~= run then return {0, was} end
local index, position = {}, 6
for name in string.gmatch(ARGV[7], '[^|]+') do
  index[name] = KEYS[position]
  position = position + 1
end
for i = 8, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'status', to)
redis.call('ZREM', index[was], id)
redis.call('ZADD', index[to], 0, id)
if expiry ~= '' then
  redis.call('HSET', KEYS[1], 'finished_at', now)
  redis.call('ZADD', KEYS[3], expiry, id)
  if redis.call('HGET', KEYS[1], 'dead_letter') == '1' then redis.call('ZADD', KEYS[5], 0, id) end
  if redis.call('HEXISTS', KEYS[1], 'callback_url') == 1 then
    redis.call('HSET', KEYS[1], 'webhook', 'pending')
    redis.call('ZADD', KEYS[4], now, id)
  end
end
redis.call('PUBLISH', KEYS[2], id)
return {1, was}
"""

#: KEYS: job, pages, events, channel. ARGV: id, run, page number, packed page, event.
#: Returns 1 while the run still holds the job, whether or not the page was new.
KEEP_PAGE = """
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[2] then return 0 end
if redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[4]) == 1 then
  redis.call('RPUSH', KEYS[3], ARGV[5])
  redis.call('HINCRBY', KEYS[1], 'pages_done', 1)
  redis.call('HSET', KEYS[1], 'attempts', 0)
  redis.call('PUBLISH', KEYS[4], ARGV[1])
end
return 1
"""
