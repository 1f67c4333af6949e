-- A job was deleted: one that is made anew under its name begins with its first build.
--
-- ARGV  job, the highest number of it that the caller knows of
-- Answers  OK
-- Keeps: numbers of builds nobody told the caller of are not given again.
though_full()
local key = P .. 'number:' .. ARGV[1]
if tonumber(redis.call('GET', key) or 0) <= tonumber(ARGV[2]) then redis.call('DEL', key) end
return {'OK'}
