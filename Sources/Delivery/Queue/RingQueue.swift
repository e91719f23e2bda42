// SPDX-License-Identifier: Apache-2.0
//
// First in, first out, without moving what waits behind.

/// A queue in an array, both ends cheap.
struct RingQueue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { self.elements.count - self.head }
    var isEmpty: Bool { self.head == self.elements.count }
    var first: Element? { self.isEmpty ? nil : self.elements[self.head] }

    mutating func append(_ element: Element) { self.elements.append(element) }

    /// Puts an element before all others.
    mutating func prepend(_ element: Element) {
        if self.head > 0 {
            self.head -= 1
            self.elements[self.head] = element
        } else {
            self.elements.insert(element, at: 0)
        }
    }

    mutating func popFirst() -> Element? {
        guard !self.isEmpty else { return nil }
        let element = self.elements[self.head]
        self.elements[self.head] = nil
        self.head += 1
        // Moved once for each time that it was passed: constant work per element.
        if self.head > 32, self.head * 2 > self.elements.count {
            self.elements.removeFirst(self.head)
            self.head = 0
        }
        return element
    }

    mutating func removeAll() {
        self.elements = []
        self.head = 0
    }
}
