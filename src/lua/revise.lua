-- A job has another configuration than when this item of it was accepted.
--
-- ARGV  id, lane and concurrent (0/1) as its job asks for now
-- Answers  OK (also when nothing is different, or its build has begun) | NOTFOUND | MENDING
-- Keeps: an item that waits stays at its place in the order; of a job that forbids concurrent builds one item holds the slot.
-- What somebody has claimed he starts by the job's configuration as he knows it. Two that two had claimed when their job came to
-- forbid concurrent builds may so run at once; the slot is the first one's.
if mending() then return {'MENDING'} end
though_full()
local id, lane, concurrent = ARGV[1], plain(ARGV[2]), ARGV[3]
local v = load(id)
if not v then return {'NOTFOUND'} end
local waits = v[STATE] == 'Q'
if not waits and v[STATE] ~= 'C' or v[LANE] == STAYS or v[LANE] == lane and v[CONCURRENT] == concurrent then return {'OK'} end
local slot, blocked = P .. 'slot:' .. v[JOB], v[BLOCKED]
local was = {[LANE] = v[LANE], [CONCURRENT] = v[CONCURRENT]}
if waits then
  local delayed = redis.call('ZSCORE', P .. 'delayed', id)
  unindex(id, v)
  vacate(id, v)
  v[LANE], v[CONCURRENT] = lane, concurrent
  if delayed then
    delay_until(id, delayed)
  else
    blocked = place(id, v)
  end
  redis.call('ZADD', P .. 'queued:' .. v[JOB], v[JOBREV], id)
elseif concurrent == '1' then
  vacate(id, v)
elseif v[CONCURRENT] == '1' then
  local holder = redis.call('GET', slot)
  local h = holder and load(holder)
  if h and h[STATE] == 'Q' and redis.call('ZREM', ready_key(h), holder) == 1 then
    redis.call('ZADD', P .. 'parked:' .. v[JOB], h[SCORE], holder)
    save(holder, h, BLOCKED, '1')
    event(holder, h)
    holder = nil
  end
  if not holder then redis.call('SET', slot, id) end
end
v[LANE], v[CONCURRENT] = was[LANE], was[CONCURRENT]
save(id, v, LANE, lane, CONCURRENT, concurrent, BLOCKED, blocked)
event(id, v)
return {'OK'}
