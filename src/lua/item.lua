-- What an item is and how it moves between the indexes. Each script is sent with what it needs of this; a definition begins with
-- `local` at the margin, and does nothing but define.
--
-- KEYS[1]  {haj:<cluster>}:meta ; every other key has the same prefix, so the same slot
--
-- Invariant kept by all scripts: an item in `live` is
--   Q(ueued)                     in queued:<job>, and in exactly one of ready:<pinned>:<lane>, delayed, parked:<job>
--   C(laimed)                    in queued:<job>, since what is triggered again may still be folded into it, and in owned:<owner>:<epoch>
--   S(tarting), R(unning)        in owned:<owner>:<epoch> alone; as of what is claimed, that member is in members
--   O(rphaned)                   in orphan alone
--   U(nreadable)                 in no index
-- and of a non-concurrent job exactly the item named in slot:<job> may be ready, C, S, R or O.
-- D(one) and X (cancelled) items are in no index and expire after a day.
local P = string.sub(KEYS[1], 1, -5)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- An item is a hash: `v` has what follows up to MORE, one line each, up to the last that is not empty, LAST at the least; `payload` and
-- `mac` are fields of their own. One text is read, taken apart and put together in a fraction of the time that two dozen fields take,
-- and readers get it as it is.
--
-- The lines up to LAST are the same in all versions that work in one cluster (PROTOCOL in src/admission.rs). FORMAT says which version's
-- payload the item has (src/formats.rs), '' for 1. A part that is added stands behind the others and before MORE, and has '' where
-- nobody has set it; what an item begins with is in src/item.rs. MORE are the lines of later versions, each with the line break
-- before it: every script keeps them as they are.
local JOB, STATE, VERSION, JOBREV, LANE, PRIORITY, ENQUEUED, DUE, BLOCKED, CONCURRENT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local PINNED, ORIGIN, OWNER, EPOCH, ATTEMPTS, NUMBER, RESULT, WHY, REAPER = 11, 12, 13, 14, 15, 16, 17, 18, 19
local DEATHS, AGAIN, SCORE, CANCEL, LAST = 20, 21, 22, 23, 24
local FORMAT = 25
local MORE, PAYLOAD, MAC = 26, 27, 28
local DAY = 86400
-- The lane of placeholders: each stands for a build that its controller keeps for itself, and may begin once this is claimed.
local STAYS = 'l:'

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
  local last = MORE
  while last > LAST and v[last] == '' do last = last - 1 end
  if last == MORE then return table.concat(v, '\n', 1, MORE - 1) .. v[MORE] end
  return table.concat(v, '\n', 1, last)
end

-- What happened to an item is kept apart from it and for longer, for people (src/trace.rs): trace:<id> has a line for each change,
-- the time and then what changed, as FIELD=value with a tab before it. Of what changes all the time only the first and the last
-- lines stay.
local TRACED, LONGEST, FIRST, RECENT = 604800, 24576, 4096, 12288
local function trace(id, changes)
  local key = P .. 'trace:' .. id
  if redis.call('APPEND', key, int(now) .. changes .. '\n') > LONGEST then
    local all = redis.call('GET', key)
    redis.call('SET', key, string.match(string.sub(all, 1, FIRST), '^.*\n') .. int(now) .. '\tcut=1'
      .. string.match(string.sub(all, -RECENT), '\n.*$'))
  end
end

-- The cluster's timeline, for people: what happened to a controller, newest first. `wait`, `begun` and `ids` say what it moved.
local MOMENTS = 999
local function moment(what, controller, text, wait, begun, ids)
  local name = redis.call('HGET', P .. 'member:' .. controller, 'name') or ''
  redis.call('LPUSH', P .. 'timeline', table.concat({int(now), what, controller, plain(name), plain(text), wait or '0', begun or '0',
    ids or ''}, '\t'))
  redis.call('LTRIM', P .. 'timeline', 0, MOMENTS)
end

-- save(id, v, FIELD, value, ...): one more version of the item.
local function save(id, v, ...)
  v[VERSION] = int(v[VERSION] + 1)
  local changes = ''
  for i = 1, select('#', ...), 2 do
    local field, value = select(i, ...)
    value = plain(value)
    if v[field] ~= value then
      v[field] = value
      if field ~= LAST then changes = changes .. '\t' .. field .. '=' .. value end
    end
  end
  redis.call('HSET', P .. 'item:' .. id, 'v', text_of(v))
  if changes ~= '' then trace(id, changes) end
end

local function pack(id, v)
  return id .. '\n' .. text_of(v)
end

-- Every entry carries the next number: a reader that misses one knows that it did.
local function tell(kind, ...)
  local n = redis.call('INCR', P .. 'eventno')
  redis.call('XADD', P .. 'events', 'MAXLEN', '~', 100000, '*', 'n', n, 'k', kind, ...)
end

-- Who claimed and found nothing waits: in waiting:<lane> by its room there, most room first, and in `waiting`; idle:<controller> lists
-- its lanes. What becomes claimable rouses one of those who can take it, which then waits no more and stands in `roused`, with the lane,
-- until its next claim. That claim passes on what it leaves; so does whoever sees that it died, or that it is slow (beat).
-- Invariant, but while mending: where an item is ready and somebody waits for its lane, somebody is roused.
local ANY = '*'

local function wait_no_more(controller)
  local lanes = redis.call('GET', P .. 'idle:' .. controller)
  if not lanes then return end
  redis.call('DEL', P .. 'idle:' .. controller)
  redis.call('ZREM', P .. 'waiting', controller)
  for lane in string.gmatch(lanes, '(.-)\n') do
    redis.call('ZREM', P .. 'waiting:' .. lane, controller)
  end
end

-- `how`: 'n' for next, who passes on what it does not take; 'a' for all at once, which need not.
local function rouse(controller, lane, how)
  wait_no_more(controller)
  redis.call('HSET', P .. 'roused', controller, int(now) .. ' ' .. how .. lane)
  redis.call('XADD', P .. 'wake:' .. controller, 'MAXLEN', '~', 64, '*', 'q', '')
end

-- Lanes in which something became claimable, each followed by the controller it is for ('' for all). ANY: only a due time changed.
local claimable = {}
local function wake()
  for i = 1, #claimable, 2 do
    local lane, controller = claimable[i], claimable[i + 1]
    local waiting = lane == ANY and P .. 'waiting' or P .. 'waiting:' .. lane
    if controller == '' then
      controller = redis.call('ZRANGE', waiting, 0, 0)[1]
    elseif not redis.call('ZSCORE', waiting, controller) then
      controller = nil
    end
    if controller then rouse(controller, lane, 'n') end
  end
  claimable = {}
end

local function becomes_claimable(lane, controller)
  claimable[#claimable + 1] = lane
  claimable[#claimable + 1] = controller
end

-- Forgets that it was roused; answers for which lane and how, nil if it was not.
local function not_roused(controller)
  local roused = redis.call('HGET', P .. 'roused', controller)
  if not roused then return nil end
  redis.call('HDEL', P .. 'roused', controller)
  local how, lane = string.match(roused, ' (.)(.*)')
  return lane, how
end

local function is_left(lane)
  return redis.call('EXISTS', lane == ANY and P .. 'delayed' or P .. 'ready::' .. lane) == 1
end

-- Rouses another one for a lane, if there is still something in it.
local function pass_on(lane)
  if is_left(lane) then
    becomes_claimable(lane, '')
    wake()
  end
end

-- Rouses all who wait for a lane: whoever cannot take what lies there would else pass it on in a circle.
local function pass_on_to_all(lane)
  if not is_left(lane) then return end
  for _, waiting in ipairs(redis.call('ZRANGE', lane == ANY and P .. 'waiting' or P .. 'waiting:' .. lane, 0, -1)) do
    rouse(waiting, lane, 'a')
  end
end

-- 'q': just queued or folded into, readers fetch the payload; 'i': any other change.
-- Redis answers first whom it woke last: claimers before readers.
local function event(id, v, fresh)
  tell(fresh and 'q' or 'i', 'm', pack(id, v))
  wake()
end

-- Lua takes 32 parts of a text at the most.
local LINES = '^([^\n]+)\n([QCSRODXU])\n(%d+)\n(%d+)\n([^\n]*)\n(%d+)\n(%-?%d+)\n(%-?%d+)\n([01])\n([01])\n'
  .. string.rep('([^\n]*)\n', 3) .. '(%d+)\n(%d+)\n(%d+)\n' .. string.rep('([^\n]*)\n', 3) .. '(%d*)\n(%d*)\n(%d+)\n([^\n]*)\n([^\n]*)'
  .. '\n?(%d*)' .. string.rep('\n?([^\n]*)', MORE - FORMAT - 1) .. '(.*)$'

-- The parts of an item from its text; without LAST where it is none.
local function parts_of(text)
  return {string.match(text, LINES)}
end

-- What is stored of an item cannot be read: it alone is set aside, with its bytes, for an admin to see and to cancel.
local function shelve(id, text)
  local job = string.match(text, '^([^\n]+)\n')
  local seq = redis.call('ZSCORE', P .. 'live', id) or '0'
  local v = {}
  for part = 1, MORE do v[part] = '' end
  v[JOB], v[STATE], v[VERSION], v[JOBREV], v[PRIORITY], v[SCORE] = job or 'unknown', 'U', int(now), '0', '0', int(seq)
  v[ENQUEUED], v[DUE], v[BLOCKED], v[CONCURRENT], v[EPOCH], v[ATTEMPTS], v[NUMBER] = int(now), int(now), '0', '1', '0', '0', '0'
  v[WHY] = 'What Redis holds of it cannot be read: cancel it and trigger its build again'
  redis.call('HSET', P .. 'item:' .. id, 'unread', text, 'v', text_of(v))
  trace(id, '\t' .. JOB .. '=' .. plain(v[JOB]) .. '\t' .. STATE .. '=U\t' .. WHY .. '=' .. v[WHY])
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
      becomes_claimable(ANY, '')
    end
  end
  event(id, v)
  return v
end

local function load(id)
  local text = redis.call('HGET', P .. 'item:' .. id, 'v')
  if not text then return nil end
  local v = parts_of(text)
  return v[LAST] and v or shelve(id, text)
end

-- With PAYLOAD and MAC, false once it has ended.
local function load_whole(id)
  local found = redis.call('HMGET', P .. 'item:' .. id, 'v', 'payload', 'mac')
  if not found[1] then return nil end
  local v = parts_of(found[1])
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
  becomes_claimable(v[LANE], v[PINNED])
end

-- Ends an item that is in no index any more, and leaves the slot as it is.
local function close(id, v, state, ...)
  local key = P .. 'item:' .. id
  save(id, v, STATE, state, BLOCKED, '0', ...)
  redis.call('HDEL', key, 'payload', 'mac')
  redis.call('EXPIRE', key, DAY)
  redis.call('EXPIRE', P .. 'trace:' .. id, TRACED)
  redis.call('ZREM', P .. 'live', id)
  event(id, v)
end

-- A placeholder whose controller is gone: what it stands for went with it, so it must not hold the slot.
local function absent(v)
  return v[LANE] == STAYS and redis.call('EXISTS', P .. 'member:' .. v[PINNED]) == 0
end

-- Ends an absent one that is only in queued:<job> any more.
local function drop(id, v)
  redis.call('ZREM', P .. 'queued:' .. v[JOB], id)
  close(id, v, 'X', WHY, 'The controller that keeps the build is gone')
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

-- The parked item takes the slot of one that waits as well, if one does.
local function overtake(id, v)
  local parked = P .. 'parked:' .. v[JOB]
  local holder = redis.call('GET', P .. 'slot:' .. v[JOB])
  local h = holder and load(holder)
  if h and h[STATE] == 'Q' and redis.call('ZREM', ready_key(h), holder) == 1 then
    redis.call('ZADD', parked, h[SCORE], holder)
    save(holder, h, BLOCKED, '1')
    event(holder, h)
    redis.call('ZREM', parked, id)
    promote(id)
  end
end

-- Frees the job's slot if the item has it; the first parked one takes it.
local function vacate(id, v)
  if v[CONCURRENT] == '1' then return end
  local slot, parked = P .. 'slot:' .. v[JOB], P .. 'parked:' .. v[JOB]
  if redis.call('GET', slot) ~= id then return end
  while true do
    local first = redis.call('ZRANGE', parked, 0, 0)[1]
    if not first then
      redis.call('DEL', slot)
      return
    end
    redis.call('ZREM', parked, first)
    local f = load(first)
    if f and f[STATE] == 'Q' and absent(f) then
      drop(first, f)
    elseif promote(first) then
      return
    end
  end
end

local function delay_until(id, due)
  redis.call('ZADD', P .. 'delayed', due, id)
  -- Claimers sleep until the first due item: tell them when that changes.
  if redis.call('ZRANGE', P .. 'delayed', 0, 0)[1] == id then becomes_claimable(ANY, '') end
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

-- It has begun or ended: nothing is folded into it any more.
local function unlist(id, v)
  redis.call('ZREM', P .. 'queued:' .. v[JOB], id)
end

-- Ends an item that is in no index but queued:<job>.
local function finish(id, v, state, ...)
  unlist(id, v)
  close(id, v, state, ...)
  vacate(id, v)
end

-- Puts an item that nobody owns any more back to its old place in the queue, or ends it if somebody wanted it cancelled or what it
-- stands for is gone.
local function back(id, v, delay, why, last)
  if v[CANCEL] ~= '' then
    finish(id, v, 'X', OWNER, '', EPOCH, '0', WHY, 'Cancelled by ' .. v[CANCEL], LAST, last)
    return
  elseif absent(v) then
    finish(id, v, 'X', WHY, why, LAST, last)
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

-- Those of the job's items that have not begun, with payloads, that are newer than `seen`; nil if none is.
local function newer(job, seen)
  if seen < 0 then return nil end
  local ids = redis.call('ZRANGEBYSCORE', P .. 'queued:' .. job, '(' .. int(seen), '+inf', 'WITHSCORES')
  if not ids[1] then return nil end
  local answer = {'NEWER', ids[#ids]}
  for i = 1, #ids, 2 do
    local v = load_whole(ids[i])
    if v and (v[STATE] == 'Q' or v[STATE] == 'C') then
      answer[#answer + 1] = pack(ids[i], v)
      answer[#answer + 1] = v[PAYLOAD] or ''
      answer[#answer + 1] = v[MAC] or ''
    end
  end
  return answer
end

