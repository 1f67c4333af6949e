-- Gives a member the pen of a shared state, unless another member has it or has asked for it earlier.
--
-- ARGV  controller, epoch, name of the state, version that the caller knows, how long one who asked and does not ask again is waited
--       for, ms
-- Answers  TAKEN version [body, where the version is another than the one known] | HELD controller | FENCED
-- Keeps: the pen is one member's; who is no member any more has none. Who asks first has it first.
though_full()
local controller, epoch, name = ARGV[1], ARGV[2], ARGV[3]
if not member(controller, epoch) then return {'FENCED'} end
local key, asking = P .. 'state:' .. name, P .. 'state-asking:' .. name
local held = redis.call('HGET', key, 'pen')
local me = controller .. ' ' .. epoch
local holder
if held and held ~= me then
  local c, e = string.match(held, '^(.*) (%d+)$')
  if c and member(c, e) then holder = c end
end
if held ~= me then
  local mine, first, who
  local asked = redis.call('HGETALL', asking)
  for i = 1, #asked, 2 do
    local c, e = string.match(asked[i], '^(.*) (%d+)$')
    local since, last = string.match(asked[i + 1], '^(%d+) (%d+)$')
    if asked[i] == me then
      mine = since
    elseif not member(c, e) or now - last > tonumber(ARGV[5]) then
      redis.call('HDEL', asking, asked[i])
    elseif not first or tonumber(since) < first then
      first, who = tonumber(since), c
    end
  end
  if not mine then mine = redis.call('INCR', P .. 'state-asked') end
  if holder or (first and first < tonumber(mine)) then
    redis.call('HSET', asking, me, mine .. ' ' .. int(now))
    return {'HELD', holder or who}
  end
  redis.call('HDEL', asking, me)
  redis.call('HSET', key, 'pen', me)
end
local found = redis.call('HMGET', key, 'version', 'body')
local version = found[1] or '0'
if version == ARGV[4] then return {'TAKEN', version} end
return {'TAKEN', version, found[2] or ''}
