VERSION: tuple[int, ...]
