"""The transform that the screenshots show: crop, flip, colours, a turn now and then."""

from torchvision import transforms as T

transform = T.Compose(
    [
        T.RandomResizedCrop(224, scale=(0.3, 1.0)),
        T.RandomHorizontalFlip(),
        T.RandomApply([T.RandomRotation(25)], p=0.4),
        T.ColorJitter(0.3, 0.3, 0.3, 0.05),
        T.ToTensor(),
        T.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    ]
)
