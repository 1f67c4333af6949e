-- What an item is and how it moves between the indexes. Each script is sent with what it needs of this; a definition begins with
-- `local` at the margin, and does nothing but define.
--
-- KEYS[1]  {haj:<cluster>}:meta ; every other key has the same prefix, so the same slot
--
-- Invariant kept by all scripts: an item in `live` is
--   Q(ueued)                     in queued:<job>, and in exactly one of ready:<pinned>:<lane>, delayed, parked:<job>
--   C(laimed), S(tarting), R(unning)  in owned:<owner>:<epoch> alone, and that member is in members
--   O(rphaned)                   in orphan alone
--   U(nreadable)                 in no index
-- and of a non-concurrent job exactly the item named in slot:<job> may be ready, C, S, R or O.
-- D(one) and X (cancelled) items are in no index and expire after a day.
local P = string.sub(KEYS[1], 1, -5)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- An item is a hash: `v` has what follows up to LAST, one line each, `payload` and `mac` the rest. One text is read, taken apart
-- and put together in a fraction of the time that two dozen fields take, and readers get it as it is.
local JOB, STATE, VERSION, JOBREV, LANE, PRIORITY, ENQUEUED, DUE, BLOCKED, CONCURRENT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local PINNED, ORIGIN, OWNER, EPOCH, ATTEMPTS, NUMBER, RESULT, WHY, REAPER = 11, 12, 13, 14, 15, 16, 17, 18, 19
local DEATHS, AGAIN = 20, 21
local SCORE, CANCEL, LAST, PAYLOAD, MAC = 22, 23, 24, 25, 26
local DAY = 86400

-- Numbers beyond 10^14 would be written with an exponent otherwise.
local function int(n)
  return string.format('%d', n)
end

-- A Redis whose memory is full lets a script write on once it has written, even if that was nothing. What keeps leases and works
-- off the queue begins with this; what only adds to it does not, and is refused.
local function though_full()
  redis.call('DEL', P .. 'full')
end

-- A line break in one part would shift all that follow.
local function plain(text)
  return (string.gsub(text, '%c', ' '))
end

local function text_of(v)
  return table.concat(v, '\n', 1, LAST)
end

-- save(id, v, FIELD, value, ...): one more version of the item.
local function save(id, v, ...)
  v[VERSION] = int(v[VERSION] + 1)
  for i = 1, select('#', ...), 2 do
    local field, value = select(i, ...)
    v[field] = plain(value)
  end
  redis.call('HSET', P .. 'item:' .. id, 'v', text_of(v))
end

local function pack(id, v)
  return id .. '\n' .. text_of(v)
end

-- Every entry carries the next number: a reader that misses one knows that it did.
local function tell(kind, ...)
  local n = redis.call('INCR', P .. 'eventno')
  redis.call('XADD', P .. 'events', 'MAXLEN', '~', 100000, '*', 'n', n, 'k', kind, ...)
end

-- Only if a claim has found nothing since the last wake: who is busy looks for itself when it claims again.
local claimable = false
local function wake()
  if claimable and redis.call('DEL', P .. 'waiting') == 1 then
    redis.call('XADD', P .. 'wake', 'MAXLEN', '~', 64, '*', 'w', '')
  end
  claimable = false
end

-- 'q': just queued or folded into, readers fetch the payload; 'i': any other change.
-- Redis answers first whom it woke last: claimers before readers.
local function event(id, v, fresh)
  tell(fresh and 'q' or 'i', 'm', pack(id, v))
  wake()
end

local LINES = '^([^\n]+)\n([QCSRODXU])\n(%d+)\n(%d+)\n([^\n]*)\n(%d+)\n(%-?%d+)\n(%-?%d+)\n([01])\n([01])\n'
  .. string.rep('([^\n]*)\n', 3) .. '(%d+)\n(%d+)\n(%d+)\n' .. string.rep('([^\n]*)\n', 3) .. '(%d*)\n(%d*)\n(%d+)\n([^\n]*)\n([^\n]*)$'

-- What is stored of an item cannot be read: it alone is set aside, with its bytes, for an admin to see and to cancel.
local function shelve(id, text)
  local job = string.match(text, '^([^\n]+)\n')
  local seq = redis.call('ZSCORE', P .. 'live', id) or '0'
  local v = {job or 'unknown', 'U', int(now), '0', '', '0', int(now), int(now), '0', '1', '', '', '', '0', '0', '0', '',
    'What Redis holds of it cannot be read: cancel it and trigger its build again', '', '', '', int(seq), '', ''}
  redis.call('HSET', P .. 'item:' .. id, 'unread', text, 'v', text_of(v))
  redis.call('HDEL', P .. 'orphan', id)
  redis.call('ZREM', P .. 'delayed', id)
  if job then
    local parked = P .. 'parked:' .. job
    redis.call('ZREM', P .. 'queued:' .. job, id)
    redis.call('ZREM', parked, id)
    if redis.call('GET', P .. 'slot:' .. job) == id then
      -- The next claim finds a place for those behind it.
      for _, other in ipairs(redis.call('ZRANGE', parked, 0, -1)) do
        redis.call('ZADD', P .. 'delayed', int(now), other)
      end
      redis.call('DEL', P .. 'slot:' .. job, parked)
      claimable = true
    end
  end
  event(id, v)
  return v
end

local function load(id)
  local text = redis.call('HGET', P .. 'item:' .. id, 'v')
  if not text then return nil end
  local v = {string.match(text, LINES)}
  return v[LAST] and v or shelve(id, text)
end

-- With PAYLOAD and MAC, false once it has ended.
local function load_whole(id)
  local found = redis.call('HMGET', P .. 'item:' .. id, 'v', 'payload', 'mac')
  if not found[1] then return nil end
  local v = {string.match(found[1], LINES)}
  if not v[LAST] then v = shelve(id, found[1]) end
  v[PAYLOAD], v[MAC] = found[2], found[3]
  return v
end

-- Redis lost something, and not all controllers have said yet what they know: nothing is taken or refused for good meanwhile.
local function mending()
  return redis.call('EXISTS', P .. 'mending') == 1
end

local function member(controller, epoch)
  return redis.call('ZSCORE', P .. 'members', controller .. ':' .. epoch)
end

-- Whether the member holds the item by its `attempt`-th claim ('0': whichever); late repeats of old calls do not count.
local function holds(v, controller, epoch, attempt)
  return v[OWNER] == controller and v[EPOCH] == epoch and (attempt == '0' or v[ATTEMPTS] == attempt)
end

local function ready_key(v)
  return P .. 'ready:' .. v[PINNED] .. ':' .. v[LANE]
end

local function make_ready(id, v)
  redis.call('ZADD', ready_key(v), v[SCORE], id)
  claimable = true
end

-- The parked item takes the slot, if it can be read.
local function promote(id)
  local v = load(id)
  if not v or v[STATE] ~= 'Q' then return false end
  redis.call('SET', P .. 'slot:' .. v[JOB], id)
  make_ready(id, v)
  save(id, v, BLOCKED, '0')
  event(id, v)
  return true
end

-- Puts a due item that is in no index into ready or parked; answers its new 'blocked'.
local function place(id, v)
  if v[CONCURRENT] == '1' then
    make_ready(id, v)
    return '0'
  end
  local slot, parked = P .. 'slot:' .. v[JOB], P .. 'parked:' .. v[JOB]
  local holder = redis.call('GET', slot)
  if holder and holder ~= id then
    local h = load(holder)
    if h and h[STATE] == 'Q' and tonumber(h[SCORE]) > tonumber(v[SCORE]) then
      redis.call('ZREM', ready_key(h), holder)
      redis.call('ZADD', parked, h[SCORE], holder)
      save(holder, h, BLOCKED, '1')
      event(holder, h)
    elseif h and h[STATE] ~= 'U' then
      redis.call('ZADD', parked, v[SCORE], id)
      return '1'
    end
  else
    local first = redis.call('ZRANGE', parked, 0, 0, 'WITHSCORES')
    if first[1] and tonumber(first[2]) < tonumber(v[SCORE]) then
      redis.call('ZREM', parked, first[1])
      if promote(first[1]) then
        redis.call('ZADD', parked, v[SCORE], id)
        return '1'
      end
    end
  end
  redis.call('SET', slot, id)
  make_ready(id, v)
  return '0'
end

-- Frees the job's slot if the item has it; the first parked one takes it.
local function vacate(id, v)
  if v[CONCURRENT] == '1' then return end
  local slot, parked = P .. 'slot:' .. v[JOB], P .. 'parked:' .. v[JOB]
  if redis.call('GET', slot) ~= id then return end
  repeat
    local first = redis.call('ZRANGE', parked, 0, 0)[1]
    if first then
      redis.call('ZREM', parked, first)
    else
      redis.call('DEL', slot)
    end
  until not first or promote(first)
end

local function delay_until(id, due)
  redis.call('ZADD', P .. 'delayed', due, id)
  -- Claimers sleep until the first due item: tell them when that changes.
  if redis.call('ZRANGE', P .. 'delayed', 0, 0)[1] == id then claimable = true end
end

-- Takes a queued item out of its indexes; the slot stays.
local function unindex(id, v)
  redis.call('ZREM', P .. 'queued:' .. v[JOB], id)
  if v[BLOCKED] == '1' then
    redis.call('ZREM', P .. 'parked:' .. v[JOB], id)
  elseif redis.call('ZREM', ready_key(v), id) == 0 then
    redis.call('ZREM', P .. 'delayed', id)
  end
end

local function disown(id, v)
  redis.call('SREM', P .. 'owned:' .. v[OWNER] .. ':' .. v[EPOCH], id)
end

-- Ends an item that is in no index any more.
local function finish(id, v, state, ...)
  local key = P .. 'item:' .. id
  save(id, v, STATE, state, BLOCKED, '0', ...)
  redis.call('HDEL', key, 'payload', 'mac')
  redis.call('EXPIRE', key, DAY)
  redis.call('ZREM', P .. 'live', id)
  event(id, v)
  vacate(id, v)
end

-- Puts an item that is in no index back to its old place in the queue, or ends it if somebody wanted it cancelled.
local function back(id, v, delay, why, last)
  if v[CANCEL] ~= '' then
    finish(id, v, 'X', WHY, 'Cancelled by ' .. v[CANCEL], LAST, last)
    return
  end
  local rev, due, blocked = int(redis.call('INCR', P .. 'seq')), v[DUE], '0'
  redis.call('ZADD', P .. 'queued:' .. v[JOB], rev, id)
  if delay > 0 then
    vacate(id, v)
    due = int(now + delay)
    delay_until(id, due)
  else
    blocked = place(id, v)
  end
  save(id, v, STATE, 'Q', BLOCKED, blocked, JOBREV, rev, DUE, due, OWNER, '', EPOCH, '0', NUMBER, '0', REAPER, '',
    LAST, last, WHY, why)
  event(id, v)
end

local function store(id, v)
  redis.call('HSET', P .. 'item:' .. id, 'v', text_of(v), 'payload', v[PAYLOAD], 'mac', v[MAC])
end

-- Those of the job's queued items, with payloads, that are newer than `seen`; nil if none is.
local function newer(job, seen)
  if seen < 0 then return nil end
  local ids = redis.call('ZRANGEBYSCORE', P .. 'queued:' .. job, '(' .. int(seen), '+inf', 'WITHSCORES')
  if not ids[1] then return nil end
  local answer = {'NEWER', ids[#ids]}
  for i = 1, #ids, 2 do
    local v = load_whole(ids[i])
    if v and v[STATE] == 'Q' then
      answer[#answer + 1] = pack(ids[i], v)
      answer[#answer + 1] = v[PAYLOAD] or ''
      answer[#answer + 1] = v[MAC] or ''
    end
  end
  return answer
end

