-- Renews a member's lease and ends every membership that has lapsed.
--
-- ARGV  controller, epoch, lease ms
-- Answers  OK now generation reaped-name... | FENCED
local controller, epoch, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not member(controller, epoch) then return {'FENCED'} end
local me = controller .. ':' .. epoch
local answer = {'OK', int(now), redis.call('HGET', KEYS[1], 'generation')}
local away = was_away(lease)
redis.call('ZADD', P .. 'members', int(now + lease), me)
if not away then
  for _, who in ipairs(redis.call('ZRANGEBYSCORE', P .. 'members', '-inf', int(now))) do
    local c, e = string.match(who, '^([^:]*):(.*)$')
    local name = redis.call('HGET', P .. 'member:' .. c, 'name') or c
    reap(c, e, 'Its controller ' .. name .. ' stopped answering', me)
    answer[#answer + 1] = name
  end
end
adopt(me)
return answer
