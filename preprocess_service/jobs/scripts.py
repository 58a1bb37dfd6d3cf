"""The changes of a job that must happen whole: Lua, run by Redis.

All take the names of every key they touch. None writes to a job that is not there (any more): such
a record would have no end.
"""

# Counts an upload in the sums and the sizes of `jobs.room`, unless it is too much.
_STORED = """
local function stored(sums, sizes, id, caller, bytes, quota)
  local total = tonumber(redis.call('HGET', sums, 'all') or 0)
  local own = tonumber(redis.call('HGET', sums, 'of:' .. caller) or 0)
  if total + bytes > quota or own + bytes > quota / 2 then return false end
  redis.call('HINCRBY', sums, 'all', bytes)
  redis.call('HINCRBY', sums, 'of:' .. caller, bytes)
  redis.call('HSET', sizes, id, bytes .. ':' .. caller)
  return true
end
"""

#: KEYS: job, idempotency, all, queued, sums, sizes, the caller's. ARGV: id, queue size, caller,
#: bytes, quota, field pairs. Returns the id of the job that now stands for the key, nothing where
#: the queue is full, and 0 where the uploads are too many bytes.
CREATE = (
    _STORED
    + """
local id, size = ARGV[1], tonumber(ARGV[2])
if KEYS[2] ~= '' then
  local known = redis.call('GET', KEYS[2])
  if known then return known end
end
if redis.call('ZCARD', KEYS[4]) >= size then return false end
local bytes, quota = tonumber(ARGV[4]), tonumber(ARGV[5])
if bytes > 0 and not stored(KEYS[5], KEYS[6], id, ARGV[3], bytes, quota) then return 0 end
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'status', 'queued')
redis.call('ZADD', KEYS[3], 0, id)
redis.call('ZADD', KEYS[4], 0, id)
redis.call('ZADD', KEYS[7], 0, id)
if KEYS[2] ~= '' then redis.call('SET', KEYS[2], id) end
return id
"""
)

#: KEYS: job, sums, sizes. ARGV: id, caller, bytes, quota, key of the upload. Returns 1 if there is
#: such a job, 0 if not, -1 where the uploads are too many bytes.
ADD_UPLOAD = (
    _STORED
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local bytes, quota = tonumber(ARGV[3]), tonumber(ARGV[4])
if not stored(KEYS[2], KEYS[3], ARGV[1], ARGV[2], bytes, quota) then return -1 end
redis.call('HSET', KEYS[1], 'upload', ARGV[5])
return 1
"""
)

#: KEYS: job, sums, sizes. ARGV: id.
DROP_UPLOAD = """
redis.call('HDEL', KEYS[1], 'upload', 'password_key')
local size = redis.call('HGET', KEYS[3], ARGV[1])
if not size then return end
local bytes, caller = string.match(size, '^(%d+):(.*)$')
redis.call('HDEL', KEYS[3], ARGV[1])
for _, name in ipairs({'all', 'of:' .. caller}) do
  if redis.call('HINCRBY', KEYS[2], name, -bytes) <= 0 then redis.call('HDEL', KEYS[2], name) end
end
"""

# What workers forget at that time is gone a day later even where none is left to forget it.
_KEEP_UNTIL = """
local function keep_until(expiry, index, id, keys)
  redis.call('ZADD', index, expiry, id)
  for _, key in ipairs(keys) do
    if key ~= '' then redis.call('EXPIREAT', key, math.ceil(expiry) + 86400) end
  end
end
"""

#: KEYS: job, pages, events, idempotency, expiry, channel, webhooks, dead letters, then one index
#: per status. ARGV: id, statuses that may be left (|a|b|), new status, run that must hold it
#: ('': any), now, expiry ('': not finished), expiry while its caller is to be told, names of the
#: statuses in the order of KEYS (|), field pairs.
#: Returns {1 when it changed, the status before}.
MOVE = (
    _KEEP_UNTIL
    + """
local id, from, to, run, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local expiry = ARGV[6]
local was = redis.call('HGET', KEYS[1], 'status')
if not was then return {0, ''} end
if not string.find(from, '|' .. was .. '|', 1, true) then return {0, was} end
if run ~= '' and redis.call('HGET', KEYS[1], 'run') ~= run then return {0, was} end
local index, position = {}, 9
for name in string.gmatch(ARGV[8], '[^|]+') do
  index[name] = KEYS[position]
  position = position + 1
end
for i = 9, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'status', to)
redis.call('ZREM', index[was], id)
redis.call('ZADD', index[to], 0, id)
if to == 'running' then
  redis.call('HSETNX', KEYS[1], 'started_at', now)
  redis.call('HINCRBY', KEYS[1], 'attempts', 1)
end
if expiry ~= '' then
  redis.call('HSET', KEYS[1], 'finished_at', now)
  if to ~= 'succeeded' then redis.call('DEL', KEYS[2]) end
  if redis.call('HGET', KEYS[1], 'dead_letter') == '1' then redis.call('ZADD', KEYS[8], 0, id) end
  if redis.call('HEXISTS', KEYS[1], 'callback_url') == 1 then
    redis.call('HSET', KEYS[1], 'webhook', 'pending')
    redis.call('ZADD', KEYS[7], now, id)
    expiry = ARGV[7]
  end
  keep_until(tonumber(expiry), KEYS[5], id, {KEYS[1], KEYS[2], KEYS[3], KEYS[4]})
end
redis.call('PUBLISH', KEYS[6], id)
return {1, was}
"""
)

#: KEYS: job, pages, events, idempotency, expiry, webhooks. ARGV: id, state, expiry.
END_WEBHOOK = (
    _KEEP_UNTIL
    + """
redis.call('ZREM', KEYS[6], ARGV[1])
if redis.call('HGET', KEYS[1], 'webhook') ~= 'pending' then return end
redis.call('HSET', KEYS[1], 'webhook', ARGV[2])
keep_until(tonumber(ARGV[3]), KEYS[5], ARGV[1], {KEYS[1], KEYS[2], KEYS[3], KEYS[4]})
"""
)

#: KEYS: job. ARGV: field pairs. Returns 1 if there is such a job.
NOTE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
"""

#: KEYS: job, pages, events. ARGV: run. Returns 1 while the run holds the job.
FORGET_PAGES = """
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'pages_done', 0, 'text_bytes', 0)
return 1
"""

#: KEYS: job, pages, events, channel. ARGV: id, run, page number, packed page, event, text bytes.
#: Returns 1 while the run still holds the job, whether or not the page was new.
KEEP_PAGE = """
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[2] then return 0 end
if redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[4]) == 1 then
  redis.call('RPUSH', KEYS[3], ARGV[5])
  redis.call('HINCRBY', KEYS[1], 'pages_done', 1)
  redis.call('HINCRBY', KEYS[1], 'text_bytes', ARGV[6])
  redis.call('HSET', KEYS[1], 'attempts', 0)
  redis.call('PUBLISH', KEYS[4], ARGV[1])
end
return 1
"""
