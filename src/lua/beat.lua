-- Renews a member's lease and ends every membership that has lapsed.
--
-- ARGV  controller, epoch, lease ms
-- Answers  OK now generation incident event-number members reaped-name... | FENCED
though_full()
local controller, epoch, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not member(controller, epoch) then return {'FENCED'} end
local me = controller .. ':' .. epoch
local meta = redis.call('HMGET', KEYS[1], 'generation', 'incident')
local answer = {'OK', int(now), meta[1], meta[2] or '-', redis.call('GET', P .. 'eventno') or '0',
  table.concat(redis.call('ZRANGE', P .. 'members', 0, -1), ' ')}
local away = was_away(lease) or mending()
redis.call('ZADD', P .. 'members', int(now + lease), me)
if not away then
  for _, who in ipairs(redis.call('ZRANGEBYSCORE', P .. 'members', '-inf', int(now))) do
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
if not mending() then adopt(me) end
return answer
