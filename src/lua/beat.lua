-- Renews a member's lease and ends every membership that has lapsed.
--
-- ARGV  controller, epoch, lease ms
-- Answers  OK now generation incident event-number members reaped-name... | FENCED
-- Keeps: what a roused one has not looked for in time rouses the next, and itself again, since what is pinned to it is for nobody
--        else; what is overdue rouses one too.
local SLOW = 300
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
local meta = redis.call('HMGET', KEYS[1], 'generation', 'incident', 'lastbeat')
local answer = {'OK', int(now), meta[1], meta[2] or '-', redis.call('GET', P .. 'eventno') or '0', table.concat(members, ' ')}
local away = was_away(lease, meta[3])
redis.call('ZADD', P .. 'members', int(now + lease), me)
-- A lease that ends later than it would if it were given now is from before Redis' clock was set back.
for i = 1, #until_when, 2 do
  if tonumber(until_when[i + 1]) > now + lease then
    local own = redis.call('HGET', P .. 'member:' .. string.match(until_when[i], '^[^:]*'), 'lease') or lease
    redis.call('ZADD', P .. 'members', 'LT', int(now + own), until_when[i])
  end
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
