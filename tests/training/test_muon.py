import pytest

torch = pytest.importorskip("torch", reason="pip install -e '.[train]'")

from training.muon import Muon, orthogonalised  # noqa: E402


@pytest.mark.parametrize("shape", [(24, 216), (216, 24), (32, 32)])
def test_singular_values_come_near_one(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonalised(matrix))
    assert values.max() < 1.3
    assert values.median() > 0.6


def test_singular_vectors_stay():
    matrix = torch.randn(16, 64, generator=torch.Generator().manual_seed(2))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ orthogonalised(matrix) @ v.T
    off_diagonal = turned - torch.diag(torch.diag(turned))
    assert off_diagonal.abs().max() < 1e-3


def test_same_as_pytorch_but_for_its_precision():
    matrix = torch.nn.Parameter(torch.zeros(8, 24))
    other = torch.nn.Parameter(torch.zeros(8, 24))
    ours = Muon([matrix], lr=0.1, weight_decay=0.01)
    theirs = torch.optim.Muon([other], lr=0.1, weight_decay=0.01)
    generator = torch.Generator().manual_seed(3)
    for _ in range(4):
        matrix.grad = torch.randn(8, 24, generator=generator)
        other.grad = matrix.grad.clone()
        ours.step()
        theirs.step()
    assert (matrix - other).norm() < 0.02 * other.norm()


def test_a_matrix_without_gradient_stays():
    matrix = torch.nn.Parameter(torch.ones(4, 4))
    Muon([matrix]).step()
    assert (matrix == 1).all()
