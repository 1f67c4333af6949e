-- Renews a member's lease and ends every membership that has lapsed.
--
-- ARGV  controller, epoch, lease ms
-- Answers  OK now generation incident event-number members reaped-name... | FENCED
-- Keeps: what a roused one has not looked for in time rouses the next, and itself again, since what is pinned to it is for nobody
--        else; what is overdue rouses one too.
--        of what happened to items that ended, the newest are kept.
local SLOW, TRACES, STEP = 300, 100000, 1000
though_full()
local controller, epoch, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local me = controller .. ':' .. epoch
local members, until_when = {}, redis.call('ZRANGE', P .. 'members', 0, -1, 'WITHSCORES')
local lapsed, there = {}, false
for i = 1, #until_when, 2 do
  local who = until_when[i]
  members[#members + 1], there = who, there or who == me
  if who ~= me and tonumber(until_when[i + 1]) <= now then lapsed[#lapsed + 1] = who end
end
if not there then return {'FENCED'} end
local meta = redis.call('HMGET', KEYS[1], 'generation', 'incident', 'lastbeat', 'traced')
local counters = redis.call('MGET', P .. 'eventno', P .. 'ids')
local answer = {'OK', int(now), meta[1], meta[2] or '-', counters[1] or '0', table.concat(members, ' ')}
local away = was_away(lease, meta[3])
redis.call('ZADD', P .. 'members', int(now + lease), me)
-- A lease that ends later than it would if it were given now is from before Redis' clock was set back.
for i = 1, #until_when, 2 do
  if tonumber(until_when[i + 1]) > now + lease then
    local own = redis.call('HGET', P .. 'member:' .. string.match(until_when[i], '^[^:]*'), 'lease') or lease
    redis.call('ZADD', P .. 'members', 'LT', int(now + own), until_when[i])
  end
end
-- By their ids, which grow: no list of them has to be kept. Those of items that live stay.
local oldest = tonumber(counters[2] or 0) - TRACES
local traced = tonumber(meta[4] or oldest - STEP)
if oldest > 0 and traced < oldest then
  local last, dropped = math.min(oldest, math.max(traced, 0) + STEP), {}
  for id = math.max(traced, 0) + 1, last do
    if not redis.call('ZSCORE', P .. 'live', int(id)) then dropped[#dropped + 1] = P .. 'trace:' .. int(id) end
  end
  if dropped[1] then redis.call('UNLINK', unpack(dropped)) end
  redis.call('HSET', KEYS[1], 'traced', int(last))
end
-- One look for all of it: a cluster at rest costs Redis little.
local busy = redis.call('EXISTS', P .. 'mending', P .. 'orphan', P .. 'roused', P .. 'delayed') > 0
local mends = busy and mending()
if not away and not mends then
  for _, who in ipairs(lapsed) do
    local c, e = string.match(who, '^([^:]*):(.*)$')
    if c then
      local name = redis.call('HGET', P .. 'member:' .. c, 'name') or c
      reap(c, e, 'Its controller ' .. name .. ' stopped answering', me)
      answer[#answer + 1] = name
    else
      redis.call('ZREM', P .. 'members', who)
    end
  end
end
if not busy then return answer end
if not mends then adopt(me) end
local roused = redis.call('HGETALL', P .. 'roused')
for i = 1, #roused, 2 do
  if tonumber(string.match(roused[i + 1], '^%d+')) < now - SLOW then
    local lane, how = not_roused(roused[i])
    pass_on(lane)
    rouse(roused[i], lane, how)
  end
end
local due = redis.call('ZRANGE', P .. 'delayed', 0, 0, 'WITHSCORES')[2]
if due and tonumber(due) < now - SLOW then pass_on(ANY) end
return answer
