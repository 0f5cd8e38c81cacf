"""Scenes played by a seed differ from those that were tuned on, and stay playable."""

import pytest

from benchmarks import film_scenes, film_variants

SCENES = pytest.mark.parametrize("scene", film_scenes.SCENES, ids=lambda scene: scene.name)


@SCENES
def test_seed_0_is_the_scene_itself(scene: film_scenes.Scene) -> None:
    assert film_variants.of(scene, 0) is scene
    assert film_variants.cast("abcdefgh", scene, 0) == tuple("abcdefgh")


@SCENES
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_plays_another_film(scene: film_scenes.Scene, seed: int) -> None:
    played = film_variants.of(scene, seed)
    assert played.look(4.0) != scene.look(4.0)
    assert played.look(4.0) == film_variants.of(scene, seed).look(4.0)
    for tick in range(101):
        look, original = played.look(tick / 10), scene.look(tick / 10)
        assert {face.face for _, shot in look for face in shot.people} <= set(range(8))
        assert 0 <= sum(weight for weight, _ in look) <= 1 + 1e-9
        assert look[0][1].scenery != original[0][1].scenery


@SCENES
def test_nothing_jumps_where_time_turns_back(scene: film_scenes.Scene) -> None:
    if scene.name == "cuts":
        pytest.skip("it cuts")
    for seed in (1, 2, 3):
        played = film_variants.of(scene, seed)
        for tick in range(1000):
            before, after = (played.look(t / 100)[0][1].people for t in (tick, tick + 1))
            for one, other in zip(before, after, strict=True):
                assert abs(one.x - other.x) < 25
                assert abs(one.width - other.width) < 3
