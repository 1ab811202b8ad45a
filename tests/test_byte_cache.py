"""A cache of so many bytes lets go of what was asked for least recently, and counts rightly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from napari_channelmix.byte_cache import ByteCache


def test_what_was_asked_for_least_recently_makes_room() -> None:
    cache = ByteCache[str, str](limit=6, size_of=len)
    cache.put("a", "xx")
    cache.put("b", "xx")
    cache.put("c", "xx")
    assert cache.get("a") == "xx"
    cache.put("d", "xx")
    assert "b" not in cache
    assert all(key in cache for key in "acd")
    assert (len(cache), cache.nbytes) == (3, 6)


def test_the_last_value_stays_however_large_it_is() -> None:
    cache = ByteCache[str, str](limit=3, size_of=len)
    cache.put("small", "xx")
    cache.put("large", "x" * 10)
    assert cache.get("small") is None
    assert cache.get("large") == "x" * 10
    assert cache.nbytes == 10


def test_a_value_put_again_counts_once() -> None:
    cache = ByteCache[str, str](limit=10, size_of=len)
    cache.put("a", "xxxx")
    cache.put("a", "xx")
    assert (len(cache), cache.nbytes) == (1, 2)
    assert cache.get("a") == "xx"


def test_a_smaller_limit_holds_at_once_and_a_cap_with_the_next_value() -> None:
    cap = 100
    cache = ByteCache[str, str](limit=10, size_of=len, room=lambda usual: min(usual, cap))
    for key in "abc":
        cache.put(key, "xxx")
    cache.resize(6)
    assert "a" not in cache and cache.nbytes == 6
    cap = 4
    cache.put("d", "xxx")
    assert (len(cache), cache.nbytes) == (1, 3)


def test_clear_gives_the_bytes_that_were_freed() -> None:
    cache = ByteCache[str, str](limit=10, size_of=len)
    cache.put("a", "xxx")
    cache.put("b", "xx")
    assert cache.clear() == 5
    assert (len(cache), cache.nbytes, cache.clear()) == (0, 0, 0)


def test_threads_that_share_it_leave_the_count_right() -> None:
    cache = ByteCache[int, str](limit=50, size_of=len)

    def work(number: int) -> None:
        for step in range(200):
            cache.put((number * 7 + step) % 40, "x" * (step % 5 + 1))
            cache.get(step % 40)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    sizes = [len(value) for key in range(40) if (value := cache.get(key)) is not None]
    assert cache.nbytes == sum(sizes) <= 50
