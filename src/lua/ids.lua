-- Leases a block of queue ids.
--
-- ARGV  floor (ids up to it are taken), how many
-- Answers  last id of the block
though_full()
local key = P .. 'ids'
if tonumber(redis.call('GET', key) or 0) < tonumber(ARGV[1]) then
  redis.call('SET', key, ARGV[1])
end
return int(redis.call('INCRBY', key, ARGV[2]))
