#!/usr/bin/env escript
%%! +S 2:2
%% One part of `make bench` in Erlang, on two schedulers: prints its figures, one for each metric of the row.
-mode(compile).

-define(ACTORS, 100000).
-define(LIVES, 20000).
-define(MESSAGES, 200000).
-define(PUBLISHES, 3000).
-define(REQUESTS, 5000).

main(["idle-bytes"]) ->
    print([idle_bytes()]);
main([Part]) ->
    %% Once to warm up.
    part(Part),
    print(part(Part));
main(_) ->
    io:format(standard_error, "usage: bench.escript PART~n", []),
    halt(1).

part("send-1-1") -> [send(1)];
part("send-8-1") -> [send(8)];
part("request-actor") ->
    Sorted = ask(?REQUESTS),
    [percentile(Sorted, 50), lists:sum(Sorted) / ?REQUESTS];
part("fanout-100") -> [fanout(100)];
part("spawn-stop") -> [time_us(?LIVES, fun(_) -> life(fun(_) -> ok end) end)];
part("spawn-stop-named") ->
    Named = fun(Number) -> life(fun(Pid) -> register(name(Number), Pid) end) end,
    [time_us(?LIVES, Named)];
part("fairness") ->
    Busy = [spawn(fun busy/0) || _ <- lists:seq(1, 4)],
    Sorted = ask(?REQUESTS),
    [exit(Pid, kill) || Pid <- Busy],
    [percentile(Sorted, 50), percentile(Sorted, 99)].

print(Figures) ->
    [io:format("~.4f ", [float(Figure)]) || Figure <- Figures],
    io:nl().

value() -> binary:copy(<<7>>, 64).

now_us() -> erlang:monotonic_time(nanosecond) / 1000.

time_us(Count, Do) ->
    Began = now_us(),
    [Do(Number) || Number <- lists:seq(1, Count)],
    (now_us() - Began) / Count.

percentile(Sorted, Percent) -> lists:nth(length(Sorted) * Percent div 100 + 1, Sorted).

%% Messages in millions a second, until the last is counted.
send(Senders) ->
    Me = self(),
    Began = now_us(),
    Sink = spawn(fun() -> count(?MESSAGES, Me) end),
    [spawn(fun() -> flood(?MESSAGES div Senders, Sink, value()) end) || _ <- lists:seq(1, Senders)],
    receive over -> ?MESSAGES / (now_us() - Began) end.

count(0, Parent) -> Parent ! over;
count(Left, Parent) -> receive <<_:64/binary>> -> count(Left - 1, Parent) end.

flood(0, _, _) -> ok;
flood(Left, Sink, Value) ->
    Sink ! Value,
    flood(Left - 1, Sink, Value).

%% The time of each request, sorted, in microseconds.
ask(Requests) ->
    Echo = spawn(fun echo/0),
    Value = value(),
    Times = [ask_once(Echo, Value) || _ <- lists:seq(1, Requests)],
    exit(Echo, kill),
    lists:sort(Times).

ask_once(Echo, Value) ->
    Began = now_us(),
    Ref = make_ref(),
    Echo ! {self(), Ref, Value},
    receive {Ref, _} -> now_us() - Began end.

echo() ->
    receive {From, Ref, Value} -> From ! {Ref, Value} end,
    echo().

busy() -> busy().

%% Time of a publish until the last subscriber has handled it.
fanout(Subscribers) ->
    Me = self(),
    Left = atomics:new(1, []),
    Topic = [spawn(fun() -> subscriber(Left, Me) end) || _ <- lists:seq(1, Subscribers)],
    Value = value(),
    Time = time_us(?PUBLISHES, fun(_) ->
        atomics:put(Left, 1, Subscribers),
        [Pid ! Value || Pid <- Topic],
        receive over -> ok end
    end),
    [exit(Pid, kill) || Pid <- Topic],
    Time.

subscriber(Left, Publisher) ->
    receive <<_:64/binary>> -> ok end,
    case atomics:sub_get(Left, 1, 1) of
        0 -> Publisher ! over;
        _ -> ok
    end,
    subscriber(Left, Publisher).

%% One actor that is spawned, perhaps named, stopped, and down.
life(Name) ->
    {Pid, Monitor} = spawn_monitor(fun wait/0),
    Name(Pid),
    Pid ! stop,
    receive {'DOWN', Monitor, process, Pid, _} -> ok end.

wait() -> receive stop -> ok end.

%% Names are atoms, which live for ever: a few are used in turn.
name(Number) -> list_to_atom("name-" ++ integer_to_list(Number rem 100)).

idle_bytes() ->
    Before = resident_bytes(),
    Pids = [spawn(fun wait/0) || _ <- lists:seq(1, ?ACTORS)],
    timer:sleep(100),
    Bytes = (resident_bytes() - Before) / ?ACTORS,
    [Pid ! stop || Pid <- Pids],
    Bytes.

resident_bytes() ->
    {ok, Statm} = file:read_file("/proc/self/statm"),
    list_to_integer(binary_to_list(lists:nth(2, binary:split(Statm, <<" ">>, [global])))) * 4096.
