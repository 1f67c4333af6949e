-- Ends this member's own membership. What it still runs is left to whoever beats next.
--
-- ARGV  controller, epoch
-- Answers  OK
though_full()
if member(ARGV[1], ARGV[2]) then
  local name = redis.call('HGET', P .. 'member:' .. ARGV[1], 'name') or ARGV[1]
  reap(ARGV[1], ARGV[2], 'Its controller ' .. name .. ' was shut down', '')
end
return {'OK'}
