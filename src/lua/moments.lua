-- What happened to the controllers of late, newest first.
--
-- ARGV  how many at the most
-- Answers  lines: ms, what, controller, name, text, items that wait again, builds to decide on, ids; a tab between
return redis.call('LRANGE', P .. 'timeline', 0, ARGV[1] - 1)
