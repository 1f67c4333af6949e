-- Brings back items that Redis has lost, or whose last changes it has lost, as a controller remembers them.
--
-- ARGV  controller, epoch, lease ms, then for each item: id, 1 if the controller itself runs it, its text, payload, mac
-- Answers  how many were brought back
-- Keeps: the newest version wins, whoever comes first; what ended stays ended; once all have said what they know, what somebody
--        has taken since is his.
-- No version grows here: others may know newer ones, and have not said so yet.
though_full()
local controller, epoch = ARGV[1], ARGV[2]
local mending, count = redis.call('EXISTS', P .. 'mending') == 1, 0
if mending then redis.call('PEXPIRE', P .. 'mending', ARGV[3]) end

-- What of a job is ready or parked waits in `delayed` until it is known which of its items run.
local function loosen(job)
  local slot, parked = P .. 'slot:' .. job, P .. 'parked:' .. job
  local holder = redis.call('GET', slot)
  if holder then
    local h = load(holder)
    if h and h[STATE] == 'Q' and redis.call('ZREM', ready_key(h), holder) == 1 then
      redis.call('ZADD', P .. 'delayed', int(now), holder)
    end
    if not h or not string.find('CSRO', h[STATE], 1, true) then redis.call('DEL', slot) end
  end
  for _, id in ipairs(redis.call('ZRANGE', parked, 0, -1)) do
    local v = load(id)
    if v and v[STATE] == 'Q' then
      v[BLOCKED] = '0'
      redis.call('HSET', P .. 'item:' .. id, 'v', text_of(v))
      redis.call('ZADD', P .. 'delayed', int(now), id)
    end
  end
  redis.call('DEL', parked)
end

local function lift(id, v)
  local state = v[STATE]
  if state == 'Q' then
    unindex(id, v)
  elseif state == 'O' then
    redis.call('HDEL', P .. 'orphan', id)
  elseif string.find('CSR', state, 1, true) then
    disown(id, v)
    unlist(id, v)
  end
  if redis.call('GET', P .. 'slot:' .. v[JOB]) == id then redis.call('DEL', P .. 'slot:' .. v[JOB]) end
end

local function put(id, v, own)
  local state = v[STATE]
  if string.find('CSR', state, 1, true) and not (v[OWNER] == controller and v[EPOCH] == epoch) then
    if own and state ~= 'C' then
      v[EPOCH] = epoch
    elseif not member(v[OWNER], v[EPOCH]) then
      -- As when a controller dies; it may still come and say that it runs it.
      state = state == 'C' and 'Q' or 'O'
      v[REAPER] = ''
    end
  end
  if state == 'O' and v[REAPER] ~= '' and not redis.call('ZSCORE', P .. 'members', v[REAPER]) then v[REAPER] = '' end
  if state == 'Q' then
    v[OWNER], v[EPOCH], v[NUMBER], v[REAPER] = '', '0', '0', ''
    if v[CANCEL] ~= '' then state, v[WHY] = 'X', 'Cancelled by ' .. v[CANCEL] end
  end
  v[STATE], v[BLOCKED] = state, '0'
  local ended = state == 'D' or state == 'X'
  local key = P .. 'item:' .. id
  redis.call('DEL', key)
  store(id, v)
  trace(id, '\tback=1\t' .. JOB .. '=' .. v[JOB] .. '\t' .. STATE .. '=' .. state .. '\t' .. OWNER .. '=' .. v[OWNER]
    .. '\t' .. NUMBER .. '=' .. v[NUMBER] .. '\t' .. RESULT .. '=' .. v[RESULT] .. '\t' .. AGAIN .. '=' .. v[AGAIN])
  if tonumber(v[NUMBER]) > tonumber(redis.call('GET', P .. 'number:' .. v[JOB]) or 0) then
    redis.call('SET', P .. 'number:' .. v[JOB], v[NUMBER])
  end
  if tonumber(v[JOBREV]) > tonumber(redis.call('GET', P .. 'seq') or 0) then
    redis.call('SET', P .. 'seq', v[JOBREV])
  end
  if ended then
    redis.call('HDEL', key, 'payload', 'mac')
    redis.call('EXPIRE', key, DAY)
    redis.call('EXPIRE', P .. 'trace:' .. id, TRACED)
    redis.call('ZREM', P .. 'live', id)
  else
    redis.call('ZADD', P .. 'live', int(v[SCORE] - v[PRIORITY] * 4398046511104), id)
    if state == 'Q' or state == 'C' then redis.call('ZADD', P .. 'queued:' .. v[JOB], v[JOBREV], id) end
    if state == 'Q' then
      delay_until(id, int(math.max(now, tonumber(v[DUE]))))
    elseif state == 'O' then
      redis.call('HSET', P .. 'orphan', id, v[REAPER])
    elseif state ~= 'U' then
      redis.call('SADD', P .. 'owned:' .. v[OWNER] .. ':' .. v[EPOCH], id)
    end
    if v[CONCURRENT] ~= '1' and string.find('CSRO', state, 1, true) then
      redis.call('SET', P .. 'slot:' .. v[JOB], id)
    end
  end
  event(id, v, state == 'Q')
end

for i = 4, #ARGV, 5 do
  local id, own, v = ARGV[i], ARGV[i + 1] == '1', parts_of(ARGV[i + 2])
  v[PAYLOAD], v[MAC] = ARGV[i + 3], ARGV[i + 4]
  local there = load(id)
  local newer = not there or tonumber(v[VERSION]) > tonumber(there[VERSION])
  local free = not there or string.find('QU', there[STATE], 1, true)
  local awaited = there and own and there[STATE] == 'O' and there[OWNER] == controller and there[REAPER] == ''
  if newer and (mending or free) or awaited then
    if there then lift(id, there) end
    if v[CONCURRENT] ~= '1' then loosen(v[JOB]) end
    put(id, v, own)
    count = count + 1
  end
end
return count
